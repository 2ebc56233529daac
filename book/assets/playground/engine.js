/* tvae.Engine: the models that a page offers, each loaded when it is first asked for, computing in a worker (see
   worker.js).

   A page from file:// may load nothing but scripts, so weights are scripts that call `tvae.weights` with a part in
   base64, and the worker is made of a text that a script brings (worker-source.js). Both are written by
   tvae/report/playground.py. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { run, script } = tvae;

  function decoded(base64) {
    const letters = atob(base64),
      bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }

  const arrived = new Map(); // model -> its parts so far
  tvae.weights = (id, part, base64) => (arrived.get(id)[part] = decoded(base64));

  /** The bytes of the file that was cut into this many scripts. */
  async function weights(folder, { id, parts }, onProgress) {
    arrived.set(id, []);
    for (let part = 0; part < parts; part++) {
      await run(`${folder}models/${id}/weights-${part}.js`);
      onProgress((part + 1) / parts);
    }
    const bytes = arrived.get(id),
      whole = new Uint8Array(bytes.reduce((length, part) => length + part.length, 0));
    arrived.delete(id);
    bytes.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  }

  /** -> ask(name, about), a promise of what `tvae.answers[name]` says in a worker. */
  async function worker(folder) {
    await script(`${folder}worker-source.js`);
    const url = URL.createObjectURL(new Blob([tvae.workerSource], { type: "text/javascript" }));
    const thread = new Worker(url),
      waiting = new Map();
    let last = 0;
    thread.onmessage = ({ data: { id, answer, error } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      error === undefined ? resolve(answer) : reject(new Error(error));
    };
    thread.onerror = (event) => {
      event.preventDefault();
      const words = `The model stopped (${event.message || "no worker can be made here"}); reload the page.`;
      for (const { reject } of waiting.values()) reject(new Error(words));
      waiting.clear();
    };
    return (ask, about) =>
      new Promise((resolve, reject) => {
        waiting.set((last += 1), { resolve, reject });
        thread.postMessage({ id: last, ask, about });
      });
  }

  /** A model that is loaded. Pieces are tokens, which nobody changes: each is encoded and decoded once. */
  class Model {
    #codes = new WeakMap();
    #again = new WeakMap();

    /** prior(): a promise of the bytes of the prior over its codes. */
    constructor(ask, id, config, prior) {
      this.ask = (name, about) => ask(name, { model: id, ...about });
      this.id = id;
      this.config = config;
      this.prior = prior;
    }

    /** Tokens -> a promise of the means of their codes, one bar's after the other's. */
    encode(tokens) {
      if (!this.#codes.has(tokens)) this.#codes.set(tokens, this.ask("encode", { tokens }));
      return this.#codes.get(tokens);
    }

    /** Tokens -> a promise of what they are decoded to from their own codes. */
    again(tokens) {
      if (!this.#again.has(tokens)) {
        this.#again.set(
          tokens,
          this.encode(tokens).then((codes) => this.decode(codes)),
        );
      }
      return this.#again.get(tokens);
    }

    /** Codes -> a promise of codes of which the bars that are not known (8 booleans) come from the prior, by a seed. */
    async fill(codes, known, seed) {
      this.ready ??= this.prior().then((bytes) => this.ask("loadPrior", { bytes }));
      this.ready.catch(() => (this.ready = null)); // to be asked for again
      await this.ready;
      return this.ask("fill", { codes, known, seed });
    }

    /** Codes -> a promise of the tokens that they stand for. */
    decode(codes) {
      return this.ask("decode", { codes });
    }

    /** Codes -> a promise of {tokens, attention}: also where the encoder looks in them. */
    generate(codes) {
      return this.ask("generate", { codes });
    }

    /** Tokens -> a promise of the rate of each bar in nats, (8). */
    rate(tokens) {
      return this.ask("rate", { tokens });
    }
  }

  const engines = new Map(); // folder -> its engine

  class Engine {
    #worker = null;
    #models = new Map();

    constructor(folder) {
      this.folder = folder;
    }

    /** The engine of a folder: one on a page, so that a model is loaded once, whichever elements ask for it. */
    static of(folder) {
      if (!engines.has(folder)) engines.set(folder, new Engine(folder));
      return engines.get(folder);
    }

    /** An entry of `tvae.data.models` -> a promise of its `Model`; onProgress(part of the way) of who asks first. */
    load(entry, onProgress = () => {}) {
      if (!this.#models.has(entry.id)) {
        const model = this.#load(entry, onProgress);
        this.#models.set(entry.id, model);
        model.catch(() => this.#models.delete(entry.id)); // to be asked for again
      }
      return this.#models.get(entry.id);
    }

    async #load(entry, onProgress) {
      const bytes = await weights(this.folder, entry, onProgress);
      this.#worker ??= worker(this.folder);
      this.#worker.catch(() => (this.#worker = null));
      const ask = await this.#worker;
      const prior = () => weights(this.folder, { id: `${entry.id}-prior`, parts: entry.prior }, () => {});
      return new Model(ask, entry.id, await ask("load", { model: entry.id, bytes }), prior);
    }
  }

  tvae.Engine = Engine;
})();
