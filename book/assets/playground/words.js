/* tvae.words: what the playground says. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { SOURCES, barsFrom, hostOf } = tvae.patch;
  const LONGEST_TITLE = 100; // letters

  const inWords = (parts) => [parts.slice(0, -1).join(", "), ...parts.slice(-1)].filter(Boolean).join(" and ");
  const share = (part) => `${part < 0 ? "−" : ""}${Math.abs(Math.round(100 * part))} %`;
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

  /** [1, 2, 3, 5] -> "bars 1–3 and 5" */
  function barsInWords(bars) {
    const runs = [];
    for (const bar of bars) {
      if (runs.length && bar === runs.at(-1)[1] + 1) runs.at(-1)[1] = bar;
      else runs.push([bar, bar]);
    }
    const named = runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
    return `${bars.length === 1 ? "bar" : "bars"} ${inWords(named)}`;
  }

  /** What is heard. */
  function sentence(patch, A, B) {
    const { mix } = patch,
      host = hostOf(patch),
      seeds = [...new Set(patch.seeds)];
    const whole = {
      A: `${A}, reconstructed`,
      B: `${B}, reconstructed`,
      mix: mix === 50 ? `Half way between ${A} and ${B}` : `${mix} % of the way from ${A} to ${B}`,
      prior: patch.song
        ? `New song ${patch.song}`
        : `${seeds.length > 1 ? "Samples" : "Sample"} ${inWords(seeds)} from the prior`,
    };
    const part = { A: `from ${A}`, B: `from ${B}`, mix: `mixed (${mix} % B)` };
    part.prior = patch.song ? `of new song ${patch.song}` : "from the prior";
    const used = SOURCES.filter((source) => patch.sources.includes(source));
    if (used.length === 1) return whole[used[0]];
    const base = host ?? "mix"; // where no bar is A's or B's, some are mixed: all on prior is the case before
    const others = used.filter((source) => source !== base);
    const parts = others.map((source) => `${barsInWords(barsFrom(patch, source))} ${part[source]}`);
    return `${{ A, B }[base] ?? whole.mix} with ${inWords(parts)}`;
  }

  const limited = (title) =>
    [...title].length > LONGEST_TITLE ? `${[...title].slice(0, LONGEST_TITLE - 1).join("")}…` : title;
  const fileName = (title) =>
    limited(title)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_]+/gu, "-")
      .replace(/^-|-$/g, "") || "melody";

  tvae.words = { inWords, share, signed, barsInWords, sentence, limited, fileName };
})();
