/* What the page asks of the model. In a worker it answers messages {id, ask, about} with {id, answer} or {id, error}; from file://,
   where browsers allow no worker, the page loads this file as a script and calls `tvae.answers` itself. */
(() => {
  "use strict";
  const alone = typeof importScripts === "function";
  if (alone) importScripts("melody.js", "model.js");
  const tvae = globalThis.tvae;
  let vae;

  tvae.answers = {
    /** The bytes of a file of weights -> the model's sizes. */
    load(bytes) {
      const [metadata, weights] = tvae.model.read_weights(bytes);
      vae = new tvae.model.TransformerVAE(JSON.parse(metadata.config), weights);
      return vae.config;
    },

    /** Tokens -> the means of their codes, one after the other. */
    encode(tokens) {
      const [mu] = vae.encode(tokens);
      return Float32Array.from(mu.flatMap((code) => [...code]));
    },

    /** Codes, one after the other -> the piece they stand for, made valid, and where the encoder looks in it. */
    generate(codes) {
      const { bars, d_latent } = vae.config;
      const z = Array.from({ length: bars }, (_, i) => codes.subarray(i * d_latent, (i + 1) * d_latent));
      const tokens = tvae.melody.canonical(vae.generate(z));
      return { tokens, attention: vae.attention(tokens) };
    },
  };

  if (alone) {
    globalThis.onmessage = ({ data: { id, ask, about } }) => {
      try {
        postMessage({ id, answer: tvae.answers[ask](about) });
      } catch (error) {
        postMessage({ id, error: error.message });
      }
    };
  }
})();
