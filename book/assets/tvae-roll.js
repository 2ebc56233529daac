/* tvae.roll: the piano roll of players and playground, and how elements are made. Plain JavaScript, no dependency.

   A *piece* to draw holds notes [[MIDI pitch, first step, step it ends before], ...], repeats [8] or [16] (the bar each
   bar repeats, -1: new; as many as the piece has bars), tints [8] or [16] (a colour 1 ... 8 for each bar, 0: none), low
   and high (MIDI pitches of the roll); and where a result is compared with something, ghost (the notes of that) and
   changed (for each note, is it not in the ghost?). Places are in per cent, so a roll may be as large as it likes.
   Colours are in tvae.css. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  const BARS = 8,
    STEPS = 16,
    PIECE = BARS * STEPS;
  const TINTS = 8; // colours; sixteen bars hold at most eight groups of equal bars
  const GAP = 0.2; // steps between two notes that touch
  const percent = (part) => `${+(100 * part).toFixed(3)}%`;

  function fill(node, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const html = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

  /** A colour for each bar, 0 where it has no equal. A group of equal bars that `like`, the repeats of another piece,
      has too gets its colour there; the others get what is left. `tvae.report.listen.tints` has the same rule. */
  function tints(repeats, like = []) {
    const groups = (bars) => [...new Set(bars.filter((bar) => bar >= 0))].sort((a, b) => a - b);
    const own = groups(repeats),
      theirs = groups(like);
    const colours = new Map(
      own.filter((group) => theirs.includes(group)).map((group) => [group, theirs.indexOf(group) + 1]),
    );
    const taken = [...colours.values()],
      all = Array.from({ length: TINTS }, (_, k) => k + 1);
    const free = [...all.slice(theirs.length), ...all.slice(0, theirs.length)].filter(
      (colour) => !taken.includes(colour),
    );
    own.filter((group) => !colours.has(group)).forEach((group, k) => colours.set(group, free[k]));
    return repeats.map((earlier, bar) => colours.get(earlier < 0 ? bar : earlier) ?? 0);
  }

  /** "5 = 1"; where bars are narrow, "=1". */
  function barName(repeats, bar) {
    if (repeats[bar] < 0) return `${bar + 1}`;
    return repeats.length > BARS ? `=${repeats[bar] + 1}` : `${bar + 1} = ${repeats[bar] + 1}`;
  }

  /** A tint behind each bar that has an equal, and with `edge` a stripe above it. */
  function tinted(colours, edge = false) {
    return colours.flatMap((colour, bar) => {
      if (!colour) return [];
      const x = percent(bar / colours.length),
        width = percent(1 / colours.length);
      const ground = svg("rect", { class: `tvae-tint tvae-group-${colour}`, x, y: 0, width, height: "100%" });
      return edge ? [ground, svg("rect", { class: `tvae-group-${colour}`, x, y: -3, width, height: 3 })] : [ground];
    });
  }

  /** A rectangle for each note, in the range of pitches low ... high. */
  function drawNotes(notes, low, high, kind = "tvae-note", steps = PIECE) {
    const row = 1 / (high - low + 1);
    return notes.map(([pitch, onset, end]) =>
      svg("rect", {
        class: kind,
        x: percent(onset / steps),
        y: percent((high - pitch) * row),
        width: percent((end - onset - GAP) / steps),
        height: percent(row),
        rx: 1.5,
      }),
    );
  }

  /** The whole roll of a piece, from back to front: {back, ghost, notes}, lists of shapes. */
  function draw({ notes, repeats, tints: colours = tints(repeats), low, high, ghost = [], changed = [] }) {
    const back = tinted(colours, true);
    for (let bar = 0; bar < repeats.length; bar++) {
      const x = percent(bar / repeats.length);
      back.push(svg("line", { class: "tvae-line", x1: x, x2: x, y1: 0, y2: "100%" }));
      back.push(svg("text", { x, y: -6, dx: 2 }, barName(repeats, bar)));
    }
    for (let pitch = 12 * Math.ceil(low / 12); pitch <= high; pitch += 12) {
      const y = percent((high - pitch + 0.5) / (high - low + 1));
      back.push(svg("line", { class: "tvae-octave", x1: 0, x2: "100%", y1: y, y2: y }));
      back.push(svg("text", { x: -4, y, dy: 4, "text-anchor": "end" }, `C${pitch / 12 - 1}`));
    }
    const steps = repeats.length * STEPS,
      shapes = drawNotes(notes, low, high, "tvae-note", steps);
    shapes.forEach((shape, k) => shape.classList.toggle("tvae-changed", Boolean(changed[k])));
    return { back, ghost: drawNotes(ghost, low, high, "tvae-ghost", steps), notes: shapes };
  }

  tvae.roll = { BARS, STEPS, PIECE, html, svg, percent, tints, barName, tinted, drawNotes, draw };
})();
