/* tvae.AttentionMap: what the encoder looks at in the result, a map of its bars on its bars, for a head or the mean of
   all. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    melody: { BARS },
    elements: { make, svg, heading },
    words: { share },
  } = tvae;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  class AttentionMap {
    #shown = null;

    constructor() {
      this.select = make(
        "select",
        { class: "tvae-select", "aria-label": "Attention head" },
        make("option", { value: -1 }, "mean of all heads"),
      );
      this.select.addEventListener("change", () => this.#draw());
      this.map = svg("svg", { class: "tvae-map", role: "img", viewBox: "-1.6 -1.1 9.7 9.2" });
      this.words = make("p", { class: "tvae-small" });
      this.root = make(
        "figure",
        { class: "tvae-attention" },
        this.map,
        make(
          "figcaption",
          {},
          heading("Where the encoder looks"),
          this.select,
          this.words,
          make(
            "p",
            { class: "tvae-small" },
            "Each bar of the result (row) looks at itself and at earlier bars (columns), the stronger the colour, " +
              "the more; equal bars are outlined.",
          ),
        ),
      );
      this.#paint(
        numbers.map(() => numbers.map(() => 0)),
        numbers.map(() => numbers.map(() => false)),
      );
    }

    /** The heads of a model to choose from; `found` is the one that finds repeats, {layer, head}, if that is known. */
    offer({ layers, heads }, found) {
      const finder = found ? (found.layer - 1) * heads + found.head - 1 : -1;
      const names = Array.from(
        { length: layers * heads },
        (_, k) =>
          `layer ${Math.floor(k / heads) + 1}, head ${(k % heads) + 1}${k === finder ? " – finds repeats" : ""}`,
      );
      this.select.replaceChildren(
        this.select.firstChild,
        ...names.map((name, k) => make("option", { value: k }, name)),
      );
      this.select.value = finder;
    }

    show(tokens, attention) {
      this.#shown = { tokens, attention };
      this.#draw();
    }

    #draw() {
      if (!this.#shown) return;
      const { tokens, attention } = this.#shown,
        head = Number(this.select.value),
        size = BARS * BARS;
      const chosen = head < 0 ? [...Array(attention.length / size).keys()] : [head];
      const weight = (i, j) => chosen.reduce((sum, k) => sum + attention[k * size + i * BARS + j], 0) / chosen.length;
      this.#paint(
        numbers.map((i) => numbers.map((j) => weight(i, j))),
        melody.equal_bars(tokens),
      );
    }

    #paint(weights, equal) {
      const bar = (number, x, y) => svg("text", { x, y }, `${number + 1}`);
      const cells = numbers.flatMap((i) =>
        numbers.slice(0, i + 1).map((j) =>
          svg(
            "rect",
            {
              class: equal[i][j] && i !== j ? "tvae-cell tvae-equal" : "tvae-cell",
              x: j + 0.04,
              y: i + 0.04,
              width: 0.92,
              height: 0.92,
              rx: 0.1,
              "fill-opacity": (0.05 + 0.95 * weights[i][j]).toFixed(3),
            },
            svg("title", {}, `bar ${i + 1} at bar ${j + 1}: ${share(weights[i][j])}`),
          ),
        ),
      );
      cells.sort((a, b) => a.classList.length - b.classList.length); // outlines over their neighbours
      this.map.replaceChildren(
        ...numbers.flatMap((number) => [bar(number, number + 0.5, -0.25), bar(number, -0.35, number + 0.68)]),
        ...cells,
      );
      const back = numbers
        .flatMap((i) => numbers.slice(0, i).map((j) => [weights[i][j], i + 1, j + 1]))
        .sort(([a], [b]) => b - a);
      const [[most, from, to]] = back;
      this.words.textContent = most > 0 ? `Most strongly back: bar ${from} at bar ${to}, ${share(most)}.` : "";
      const rows = numbers.slice(1).map((i) => {
        const best = weights[i].indexOf(Math.max(...weights[i]));
        return `bar ${i + 1} at bar ${best + 1}, ${share(weights[i][best])}`;
      });
      this.map.setAttribute("aria-label", `Map of attention. Where each bar looks most: ${rows.join("; ")}.`);
    }
  }

  tvae.AttentionMap = AttentionMap;
})();
