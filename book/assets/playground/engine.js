/* tvae.engine.load(folder, onProgress) -> {config, worker, encode(tokens), generate(codes)}, see worker.js. Weights come as scripts,
   for a page from file:// may load nothing else: weights-0.js, weights-1.js, ... each call `tvae.weights` with a part in base64. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const overHttp = location.protocol.startsWith("http");

  function script(url) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = url;
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${url} could not be loaded; check the connection and try again.`));
      document.head.append(element);
    }).finally(() => document.head.querySelector(`script[src="${CSS.escape(url)}"]`)?.remove());
  }

  function decoded(base64) {
    const letters = atob(base64), bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }

  /** The bytes of the file that was cut into this many scripts. */
  async function weights(folder, parts, onProgress) {
    const bytes = [];
    tvae.weights = (part, base64) => (bytes[part] = decoded(base64));
    for (let part = 0; part < parts; part++) {
      await script(`${folder}weights-${part}.js`);
      onProgress((part + 1) / parts);
    }
    delete tvae.weights;
    const whole = new Uint8Array(bytes.reduce((length, part) => length + part.length, 0));
    bytes.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  }

  /** ask(name, about) -> a promise of what `tvae.answers[name]` says, in a worker. */
  function asker(folder) {
    const worker = new Worker(`${folder}worker.js`), waiting = new Map();
    let last = 0;
    worker.onmessage = ({ data: { id, answer, error } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      error === undefined ? resolve(answer) : reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of waiting.values()) reject(new Error(`The model stopped (${event.message || "its script is missing"}); reload the page.`));
      waiting.clear();
    };
    return (ask, about) => new Promise((resolve, reject) => {
      waiting.set((last += 1), { resolve, reject });
      worker.postMessage({ id: last, ask, about });
    });
  }

  async function load(folder, onProgress) {
    let ask;
    if (overHttp) {
      ask = asker(folder);
    } else {
      for (const name of ["model", "worker"]) await script(`${folder}${name}.js`);
      ask = async (name, about) => tvae.answers[name](about);
    }
    const config = await ask("load", await weights(folder, tvae.data.parts, onProgress));
    return {
      config,
      worker: overHttp,
      encode: (tokens) => ask("encode", tokens),
      generate: (codes) => ask("generate", codes),
    };
  }

  tvae.engine = { load };
})();
