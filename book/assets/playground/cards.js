/* tvae.cards: the measures of a result, in words and pictures. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody, melody: { BARS, STEPS, PIECE }, transfer, elements: { make, percent }, pieces: { same } } = tvae;
  const { patch: { hostOf, barsFrom }, words: { barsInWords } } = tvae;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  const share = (part) => `${part < 0 ? "−" : ""}${Math.abs(Math.round(100 * part))} %`;
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

  /** -> three cards {name, rows: [[label, place on the line 0 ... 1 or null, value, colour]], words}; without a result they are empty. */
  function cards({ patch, pieces, again, tokens }, low, high) {
    const host = hostOf(patch) ?? "A", donor = host === "A" ? "B" : "A";
    const swapped = numbers.map((bar) => bar + 1).filter((bar) => !barsFrom(patch, host).includes(bar)), [first = 1] = swapped;
    const compared = tokens && hostOf(patch) && transfer.measures(pieces[host].tokens, again[host], pieces[donor].tokens, tokens, swapped);
    const fromPrior = patch.sources[first - 1] === "prior"; // and no song's bar that could be followed
    const { structure = null, kept = null } = compared ?? {}, { rhythm = null, register = null } = (!fromPrior && compared) || {};

    const none = [null, "–"];
    const count = (part, whole) => (whole ? [part / whole, `${part} of ${whole}`] : none);
    const agreement = (value) => (rhythm ? [value, share(value)] : none);
    const level = (pitch) => (register ? [(pitch - low) / (high - low), melody.pitch_name(Math.round(pitch))] : none);
    const theirs = `bar ${first} of ${donor}`, own = `bar ${first} of ${host}`;
    const reason = !tokens ? "" : !compared ? "No bar has the code of A or B alone, so there is no song to compare with."
      : !swapped.length ? `All bars have ${host}'s own code: nothing is swapped.`
        : fromPrior ? `Bar ${first} comes from the prior, and from no song that could be followed.`
          : `No bar after bar ${first} that keeps ${host}'s code is new and has notes.`;
    const way = register?.share == null ? "" : `, ${share(register.share)} of the way from ${own} to ${theirs}`;
    return [
      {
        name: "Structure",
        rows: [
          [`${host}'s pairs, found again`, ...count(structure?.both, structure?.host), host],
          [`those with ${barsInWords(swapped.length ? swapped : [first])}`, ...count(kept?.both, kept?.host), host],
          [`the result's, not in ${host}`, ...count(structure?.result - structure?.both, structure?.result), "result"],
        ],
        words: !structure ? reason : structure.host ? "Pairs of equal bars: which are equal in the result as well?" : `No two bars of ${host} are equal.`,
      },
      {
        name: "Rhythm",
        rows: [
          [`as ${theirs}, before`, ...agreement(rhythm?.before), ""],
          [`as ${theirs}, now`, ...agreement(rhythm?.donor), donor],
          [`as ${own}, now`, ...agreement(rhythm?.host), host],
        ],
        words: rhythm ? `Do notes of later new bars begin where they do in that bar (F1)? New: no repeat of ${barsInWords(swapped)} in ${host}.` : reason,
      },
      {
        name: "Register",
        dots: true,
        rows: [
          ["before", ...level(register?.before), ""],
          ["now", ...level(register?.result), "result"],
          [theirs, ...level(register?.donor), donor],
        ],
        words: register ? `Mean pitch of later new bars: moved by ${signed(register.result - register.before)} semitones${way}.` : reason,
      },
    ];
  }

  /** How much of the songs is in the result, in a sentence. */
  function summary({ patch, pieces, again, tokens }) {
    const host = hostOf(patch), steps = (other) => tokens.filter((token, step) => token === other[step]).length;
    if (!host && !patch.sources.includes("mix")) return "No code comes from A or B: this is what the model holds a song to be.";
    if (!host) return `Of ${PIECE} steps ${steps(again.A)} are as in A reconstructed, ${steps(again.B)} as in B reconstructed.`;
    const own = barsFrom(patch, host), piece = pieces[host];
    if (own.length === BARS) return `From its eight codes alone, ${steps(piece.tokens)} of the ${PIECE} steps of ${piece.title} come back.`;
    const bar = (tokens, number) => tokens.subarray((number - 1) * STEPS, number * STEPS);
    const kept = own.filter((number) => same(bar(tokens, number), bar(again[host], number)));
    return `Bars that keep ${host}'s code: ${own.length}; of them unchanged, as in ${host} reconstructed: ${kept.length}.`;
  }

  function drawCard({ name, rows, words, dots = false }) {
    const row = ([label, place, value, colour]) => make("div", { class: "tvae-row" },
      make("dt", {}, label),
      make("dd", { "data-source": colour }, make("span", {
        class: dots ? "tvae-meter tvae-dotted" : "tvae-meter", "aria-hidden": "true",
        ...(place === null ? {} : { style: `--place: ${percent(Math.min(1, Math.max(0, place)))}` }),
      }), make("span", {}, value)));
    return make("section", { class: "tvae-card", "aria-label": name },
      make("strong", {}, name), make("dl", {}, ...rows.map(row)), make("p", { class: "tvae-small" }, words));
  }

  tvae.cards = { cards, summary, drawCard, share };
})();
