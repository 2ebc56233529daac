/* tvae.examples: things to try, each with one click. An example says what it changes of a state: melodies by title,
   sources of bars, the model (another one of the same corpus). */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    data,
    pieces: { titled },
    patch,
  } = tvae;

  const EXAMPLES = [
    {
      name: "Bar 1 swapped",
      A: "Ode to Joy",
      B: "Mary Had a Little Lamb",
      sources: "BAAAAAAA",
      words:
        "Bar 1 comes from the other song. Bars that repeated bar 1 repeat the new one. " +
        "Both songs begin with the same rhythm, and the register hardly moves here.",
    },
    {
      name: "Bar 7 instead",
      A: "Ode to Joy",
      B: "Mary Had a Little Lamb",
      sources: "AAAAAABA",
      words: "It is the first bar that leads: with bar 7 from the other song the rest hardly changes.",
    },
    {
      name: "No attention",
      A: "Ode to Joy",
      B: "Mary Had a Little Lamb",
      sources: "BAAAAAAA",
      model: "no_attention",
      words:
        "The same swap with a model whose bars cannot look at each other: bar 1 changes alone, and no repeat follows.",
    },
    {
      name: "Where it fails",
      A: "Jingle Bells",
      B: "Frère Jacques",
      sources: "BAAAAAAA",
      words:
        "Bar 2 repeats bar 1 in the song, and no longer in the result. " +
        "In this training most repeats are found again; this one is not.",
    },
    {
      name: "Half way",
      A: "Ode to Joy",
      B: "Twinkle, Twinkle",
      sources: "MMMMMMMM",
      words: "Every code lies half way between the two songs. Move the slider.",
    },
    {
      name: "From nothing",
      sources: "PPPPPPPP",
      words: "All codes are drawn at random: this is what the model holds a song to be. “New sample” for the next one.",
    },
    {
      name: "Fiddle tune",
      A: "Soldiers Joy, part 1 (Aird 109)",
      B: "The Devil's Dream, part 1 (O'Neill 1564)",
      sources: "BAAAAAAA",
      corpus: "folk",
      words:
        "Fiddle tunes repeat their first bar more often than pop songs do. This is the model that was trained on them.",
    },
  ];

  const standard = data.models[0];

  /** The model that an example asks for, or null where the page has none such. */
  function modelOf({ model = "attention", corpus = standard.corpus }) {
    const wanted = data.models.find((entry) => entry.corpus === corpus && entry.model === model);
    return wanted ?? (model === "attention" && corpus === standard.corpus ? standard : null);
  }

  /** The examples that this page can show. */
  const offered = EXAMPLES.filter(
    (example) => modelOf(example) && ["A", "B"].every((name) => !example[name] || titled(example[name])),
  );

  /** A state with what an example changes. */
  function applied(state, example) {
    const pieces = Object.fromEntries(
      ["A", "B"].filter((name) => example[name]).map((name) => [name, titled(example[name])]),
    );
    return { ...state, ...pieces, model: modelOf(example).id, patch: patch.start(example.sources) };
  }

  /** What the page begins with. */
  function start() {
    const [
        {
          songs: [any],
        },
      ] = tvae.pieces.songs(),
      [{ A, B, sources }] = EXAMPLES;
    return {
      A: titled(A) ?? any,
      B: titled(B) ?? any,
      patch: patch.start(sources),
      tempo: null,
      model: standard.id,
      sound: { instrument: "piano", volume: 1, loop: false },
    };
  }

  tvae.examples = { offered, applied, start };
})();
