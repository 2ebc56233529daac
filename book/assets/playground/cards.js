/* tvae.cards: the measures of a result, in words and pictures. What is shown is {patch, pieces: {A, B}, again: {A, B}
   (their reconstructions, tokens), tokens}. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody, transfers } = tvae;
  const { BARS, STEPS, PIECE } = melody;
  const {
    elements: { make, svg, percent },
    pieces: { same },
    patch: { hostOf, barsFrom },
    words: { barsInWords, share, signed },
  } = tvae;
  const numbers = [...Array(BARS).keys()].map((bar) => bar + 1);

  /** The host, the donor, the bars that are not the host's, and the measures of `tvae.transfers`, or why there are
      none. */
  function compare({ patch, pieces, again, tokens }) {
    const host = hostOf(patch),
      donor = host === "A" ? "B" : "A";
    const swapped = numbers.filter((bar) => !barsFrom(patch, host).includes(bar)),
      [first = 1] = swapped;
    if (!host)
      return {
        host: "A",
        donor,
        swapped,
        first,
        reason: "No bar has the code of A or B alone, so there is no song to compare with.",
      };
    const found = transfers.one_transfer(pieces[host].tokens, again[host], pieces[donor].tokens, tokens, swapped);
    const reason = !swapped.length
      ? `All bars have ${host}'s own code: nothing is swapped.`
      : patch.sources[first - 1] === "prior"
        ? `Bar ${first} comes from the prior, and from no song that could be followed.`
        : `No bar after bar ${first} that keeps ${host}'s code is new and has notes.`;
    return {
      host,
      donor,
      swapped,
      first,
      reason,
      ...found,
      ...(patch.sources[first - 1] === "prior" ? { rhythm: null, register: null } : {}),
    };
  }

  const card = (name, words, ...content) =>
    make(
      "section",
      { class: "tvae-card", "aria-label": name },
      make("h3", {}, name),
      ...content,
      make("p", { class: "tvae-small" }, words),
    );

  function row(label, picture, value, colour = "") {
    return make(
      "div",
      { class: "tvae-row" },
      make("dt", {}, label),
      make("dd", { "data-source": colour }, picture, make("span", {}, value)),
    );
  }

  const meter = (part) =>
    make("span", { class: "tvae-meter", "aria-hidden": "true", style: `--place: ${percent(part)}` });
  const none = (label) => row(label, meter(0), "–");

  function structureCard({ host, swapped, first, structure, kept, reason }) {
    const count = (label, part, whole, colour) =>
      whole ? row(label, meter(part / whole), `${part} of ${whole}`, colour) : none(label);
    const labels = [
      `${host}'s pairs, found again`,
      `those with ${barsInWords(swapped.length ? swapped : [first])}`,
      `the result's, not in ${host}`,
    ];
    const rows = structure
      ? [
          count(labels[0], structure.both, structure.host, host),
          count(labels[1], kept.both, kept.host, host),
          count(labels[2], structure.result - structure.both, structure.result, "result"),
        ]
      : labels.map(none);
    const words = !structure
      ? reason
      : structure.host
        ? "Pairs of equal bars: which are equal in the result as well?"
        : `No two bars of ${host} are equal.`;
    return card("Structure", words, make("dl", {}, ...rows));
  }

  /** How many of these bars have an onset at each of the 16 steps, as shades. */
  function pattern(shares) {
    const cell = (part) => make("i", { style: `--part: ${part.toFixed(2)}` });
    return make("span", { class: "tvae-pattern", "aria-hidden": "true" }, ...shares.map(cell));
  }

  function rhythmCard({ host, donor, swapped, first, rhythm, reason }, found) {
    const theirs = `bar ${first} of ${donor}`,
      own = `bar ${first} of ${host}`;
    const labels = [theirs, own, "later new bars, before", "later new bars, now"];
    if (!rhythm)
      return card(
        "Rhythm",
        reason,
        make("dl", {}, ...labels.map((label) => row(label, pattern(Array(STEPS).fill(0)), "–"))),
      );
    const { pieces, again, tokens } = found,
      [, chosen] = transfers.later_bars(pieces[host].tokens, swapped);
    const bar = (name) => transfers.onsets(pieces[name].tokens)[first - 1].map(Number);
    const later = (piece) => {
      const bars = transfers.onsets(piece).filter((_, number) => chosen[number]);
      return Array.from({ length: STEPS }, (_, step) => bars.filter((bar) => bar[step]).length / bars.length);
    };
    const alike = bar(donor).every((begins, step) => begins === bar(host)[step]);
    const words = alike
      ? "Both songs begin with the same rhythm: nobody could tell which of them is followed. " +
        "Numbers: agreement with it (F1)."
      : "Where notes begin in a bar. " +
        `Numbers: agreement with ${theirs} (F1); with ${own} it is ${share(rhythm.host)} now.`;
    return card(
      "Rhythm",
      words,
      make(
        "dl",
        {},
        row(labels[0], pattern(bar(donor)), "", donor),
        row(labels[1], pattern(bar(host)), "", host),
        row(labels[2], pattern(later(again[host])), share(rhythm.before)),
        row(labels[3], pattern(later(tokens)), share(rhythm.donor), "result"),
      ),
    );
  }

  /** An arrow from one pitch to another, and where it should have led to go the whole way. */
  function way(from, to, whole, [low, high]) {
    const x = (pitch) => percent((pitch - low) / (high - low));
    const marks =
      whole === null ? [] : [svg("line", { class: "tvae-whole", x1: x(whole), x2: x(whole), y1: 1, y2: 17 })];
    return svg(
      "svg",
      { class: "tvae-way", "aria-hidden": "true" },
      svg("line", { class: "tvae-axis", x2: "100%", y1: 9, y2: 9 }),
      ...marks,
      svg("line", { class: "tvae-arrow", x1: x(from), x2: x(to), y1: 9, y2: 9 }),
      svg("circle", { class: "tvae-from", cx: x(from), cy: 9, r: 4 }),
      svg("circle", { class: "tvae-to", cx: x(to), cy: 9, r: 6 }),
    );
  }

  function registerCard({ host, donor, first, register, reason }) {
    const labels = [`bar ${first}, from ${host} to ${donor}`, "later new bars, from before to now"];
    if (!register) return card("Register", reason, make("dl", {}, ...labels.map(none)));
    const { before, result, donor: high, host: low } = register,
      whole = before + high - low;
    const all = [before, result, high, low, whole],
      room = Math.max(1, 0.06 * (Math.max(...all) - Math.min(...all)));
    const range = [Math.min(...all) - room, Math.max(...all) + room];
    const moved = signed(result - before);
    const words =
      register.share === null
        ? `Both first bars lie equally high, so there is no way to go; the later bars moved by ${moved}.`
        : `From ${host} to ${donor} bar ${first} moves by ${signed(high - low)}; ` +
          `the later new bars moved by ${moved}, ${share(register.share)} of that way. ` +
          "The upright line is the whole way.";
    return card(
      "Register",
      `Mean pitch, in semitones. ${words}`,
      make(
        "dl",
        {},
        row(labels[0], way(low, high, null, range), signed(high - low), donor),
        row(labels[1], way(before, result, whole, range), moved, "result"),
      ),
    );
  }

  /** Three cards, empty without a result. */
  function cards(found) {
    const compared = found ? compare(found) : { host: "A", donor: "B", swapped: [1], first: 1, reason: "" };
    return [structureCard(compared), rhythmCard(compared, found), registerCard(compared)];
  }

  /** How much of the songs is in the result, in a sentence. */
  function summary({ patch, pieces, again, tokens }) {
    const host = hostOf(patch),
      steps = (other) => tokens.filter((token, step) => token === other[step]).length;
    if (!host && !patch.sources.includes("mix"))
      return "No code comes from A or B: this is what the model holds a song to be.";
    if (!host)
      return `Of ${PIECE} steps ${steps(again.A)} are as in A reconstructed, ${steps(again.B)} as in B reconstructed.`;
    const own = barsFrom(patch, host),
      piece = pieces[host];
    if (own.length === BARS)
      return `From its eight codes alone, ${steps(piece.tokens)} of the ${PIECE} steps of ${piece.title} come back.`;
    const bar = (tokens, number) => tokens.subarray((number - 1) * STEPS, number * STEPS);
    const changed = own.filter((number) => !same(bar(tokens, number), bar(again[host], number)));
    const keep = own.length === 1 ? `1 bar keeps ${host}'s code` : `${own.length} bars keep ${host}'s code`;
    return `${keep}; ${changed.length || "none"} of them changed all the same, by what is swapped elsewhere.`;
  }

  tvae.cards = { cards, summary };
})();
