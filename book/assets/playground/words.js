/* tvae.words: what the playground says of a patch (see patch.js). */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { patch: { SOURCES, barsFrom, hostOf } } = tvae;

  /** [1, 2, 3, 5] -> "bars 1–3 and 5" */
  function barsInWords(bars) {
    const runs = [];
    for (const bar of bars) {
      if (runs.length && bar === runs.at(-1)[1] + 1) runs.at(-1)[1] = bar;
      else runs.push([bar, bar]);
    }
    return `${bars.length === 1 ? "bar" : "bars"} ${inWords(runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)))}`;
  }

  const inWords = (parts) => [parts.slice(0, -1).join(", "), ...parts.slice(-1)].filter(Boolean).join(" and ");

  /** What is heard. */
  function sentence(patch, A, B) {
    const { mix } = patch, host = hostOf(patch);
    const whole = {
      A: `${A}, reconstructed`,
      B: `${B}, reconstructed`,
      mix: mix === 50 ? `Half way between ${A} and ${B}` : `${mix} % of the way from ${A} to ${B}`,
      prior: `Draw ${patch.seed} from the prior`,
    };
    const part = { A: `from ${A}`, B: `from ${B}`, mix: `mixed (${mix} % B)`, prior: "from the prior" };
    const used = SOURCES.filter((source) => patch.sources.includes(source));
    if (used.length === 1) return whole[used[0]];
    const base = host ?? "mix"; // where no bar is A's or B's, some are mixed: all on prior is the case before
    const parts = used.filter((source) => source !== base).map((source) => `${barsInWords(barsFrom(patch, source))} ${part[source]}`);
    return `${{ A, B }[base] ?? whole.mix} with ${inWords(parts)}`;
  }

  const LONGEST_TITLE = 100;
  const limited = (title) => ([...title].length > LONGEST_TITLE ? `${[...title].slice(0, LONGEST_TITLE - 1).join("")}…` : title);
  const fileName = (title) => limited(title).toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "") || "melody";

  tvae.words = { barsInWords, inWords, sentence, limited, fileName };
})();
