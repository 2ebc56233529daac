/* tvae.prior: the prior over the codes of a piece, from which new songs are drawn. tvae/studies/prior.py, name for
   name, as far as drawing needs it; tests/test_prior.py holds this file's codes against PyTorch's on the same random
   numbers.

   Codes are a list of T Float32Arrays of Z, known a list of T booleans. Noise is a Float32Array (T, 1 + Z, 2), row
   after row: a number in 0 ... 1 that chooses the bar's tie, or a component, and one from a normal distribution, the
   place in it. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const {
    model: { Linear, EncoderLayer, add, softmax, read_weights },
    random: { uniform, normal },
  } = tvae;
  const LEAST = 0.03; // of a deviation
  function choose(logits, number) {
    let below = 0,
      chosen = 0;
    for (const share of softmax(logits)) {
      below += share;
      if (below > number) break;
      chosen += 1;
    }
    return Math.min(chosen, logits.length - 1);
  }

  const deviation = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) + LEAST; // softplus

  class Prior {
    constructor(config, weights) {
      this.config = config;
      const { bars, layers, d_model } = config;
      this.position = Array.from({ length: bars }, (_, i) => weights.position.subarray(i * d_model, (i + 1) * d_model));
      this.unknown = weights.unknown;
      this.from_code = new Linear(weights, "from_code");
      this.layers = Array.from({ length: layers }, (_, n) => new EncoderLayer(config, weights, `layers.${n}`));
      this.to_tie = new Linear(weights, "to_tie");
      this.tie = Array.from({ length: bars }, (_, k) => weights.tie.subarray(k * d_model, (k + 1) * d_model));
      this.from_context = new Linear(weights, "from_context");
      this.context_to_mixture = new Linear(weights, "context_to_mixture");
      this.from_earlier = new Linear(weights, "from_earlier"); // (H, Z)
      this.to_mixture = new Linear(weights, "to_mixture"); // (Z * 3 * K, H)
    }

    /** What the known bars say of each bar: T vectors of D. */
    context(codes, known) {
      const everything = known.map(() => true);
      const visible = known.map(() => everything);
      return this.layers.reduce(
        (x, layer) => layer.forward(x, visible),
        codes.map((code, i) => add(known[i] ? this.from_code.forward(code) : this.unknown, this.position[i])),
      );
    }

    /** Log weights, means and deviations of a dimension's components, each K, from what the hidden units hold and
        what the context says directly. */
    mixture(hidden, direct, dimension) {
      const { d_latent, d_hidden, components } = this.config,
        { weight, scale, bias } = this.to_mixture;
      // units are in the order of how many dimensions they are told: those that are told no more than are drawn
      const told = Math.ceil(((dimension + 1) * d_hidden) / d_latent);
      const out = Float32Array.from({ length: 3 * components }, (_, k) => {
        const row = dimension * 3 * components + k;
        let sum = 0;
        for (let h = 0; h < told; h++) sum += weight[row * d_hidden + h] * Math.max(0, hidden[h]);
        return sum * scale[row] + bias[row] + direct[row];
      });
      return [0, 1, 2].map((part) => out.subarray(part * components, (part + 1) * components));
    }

    /** The code of one bar from its context, a dimension after the other. */
    code(context, noise) {
      const tied = add(context, this.tie[choose(this.to_tie.forward(context), noise[0])]),
        direct = this.context_to_mixture.forward(tied);
      const { d_latent, d_hidden, temperature = 1 } = this.config,
        { weight, scale } = this.from_earlier;
      const hidden = Float64Array.from(this.from_context.forward(tied)),
        code = new Float32Array(d_latent);
      for (let dimension = 0; dimension < d_latent; dimension++) {
        const [logits, means, widths] = this.mixture(hidden, direct, dimension),
          at = 2 * (1 + dimension),
          chosen = choose(logits, noise[at]);
        code[dimension] = means[chosen] + temperature * deviation(widths[chosen]) * noise[at + 1];
        for (let h = 0; h < d_hidden; h++) {
          const told = Math.floor((h * d_latent) / d_hidden);
          if (told > dimension) hidden[h] += weight[h * d_latent + dimension] * scale[h] * code[dimension];
        }
      }
      return code;
    }

    /** Fill the bars that are not known, the first one first. */
    draw(codes, known, noise) {
      const filled = [...codes],
        so_far = [...known],
        width = 2 * (1 + this.config.d_latent);
      known.forEach((own, bar) => {
        if (own) return;
        const context = this.context(filled, so_far)[bar];
        filled[bar] = this.code(context, noise.subarray(bar * width, (bar + 1) * width));
        so_far[bar] = true;
      });
      return filled;
    }

    /** The noise of a seed. */
    noise(seed) {
      const length = this.config.bars * (1 + this.config.d_latent),
        places = normal(seed, length),
        random = uniform((seed ^ 0x5bd1e995) >>> 0);
      return Float32Array.from({ length: 2 * length }, (_, k) => (k % 2 ? places[(k - 1) / 2] : random.next().value));
    }
  }

  /** The prior in the bytes of a file of weights. */
  function from_bytes(bytes) {
    const [{ config }, weights] = read_weights(bytes);
    return new Prior(JSON.parse(config), weights);
  }

  tvae.prior = { Prior, from_bytes };
})();
