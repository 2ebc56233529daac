/* What a page asks of its models: messages {id, ask, about} are answered with {id, answer} or {id, error}. The worker's
   text is melody.js, random.js, model.js, prior.js and this file, one after the other. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const models = new Map(),
    priors = new Map();
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  tvae.answers = {
    /** The bytes of a file of weights -> the model's sizes. */
    load({ model, bytes }) {
      models.set(model, tvae.model.from_bytes(bytes));
      return models.get(model).config;
    },

    /** Tokens -> the means of their codes, one after the other. */
    encode({ model, tokens }) {
      const [mu] = models.get(model).encode(tokens);
      return Float32Array.from(mu.flatMap((code) => [...code]));
    },

    /** The bytes of the prior over a model's codes. */
    loadPrior({ model, bytes }) {
      priors.set(model, tvae.prior.from_bytes(bytes));
    },

    /** Codes, one after the other, of which the bars that are not known are drawn anew from the prior, by a seed. */
    fill({ model, codes, known, seed }) {
      const prior = priors.get(model),
        { bars, d_latent } = prior.config;
      const z = Array.from({ length: bars }, (_, i) => codes.subarray(i * d_latent, (i + 1) * d_latent));
      return Float32Array.from(prior.draw(z, known, prior.noise(seed)).flatMap((code) => [...code]));
    },

    /** Codes, one after the other -> the piece they stand for, made valid. */
    decode({ model, codes }) {
      const vae = models.get(model),
        { bars, d_latent } = vae.config;
      const z = Array.from({ length: bars }, (_, i) => codes.subarray(i * d_latent, (i + 1) * d_latent));
      return tvae.melody.canonical(vae.generate(z));
    },

    /** The same, and where the encoder looks in it. */
    generate({ model, codes }) {
      const tokens = tvae.answers.decode({ model, codes });
      return { tokens, attention: models.get(model).attention(tokens) };
    },

    /** Tokens -> the rate of each bar in nats: the KL divergence of its code from the prior. */
    rate({ model, tokens }) {
      const [mu, logvar] = models.get(model).encode(tokens);
      return mu.map((code, bar) => sum(tvae.model.kl_divergence(code, logvar[bar])));
    },
  };

  globalThis.onmessage = ({ data: { id, ask, about } }) => {
    try {
      postMessage({ id, answer: tvae.answers[ask](about) });
    } catch (error) {
      postMessage({ id, error: error.message });
    }
  };
})();
