/* The paper's model in the reader's browser: tvae/model.py, name for name, in its order, without what only training
   needs.

   A piece is a Uint8Array of T*S = 128 tokens; a vector is a Float32Array; "bars" and "codes" are lists of T = 8
   vectors, a bar each. One piece at a time, so there is no batch dimension. Plain JavaScript: it runs in a page, in a
   worker and in any engine. Weights come as `tvae.report.playground.to_bytes` writes them;
   tests/test_playground_model.py holds this file's output against PyTorch's. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  const add = (a, b) => a.map((value, k) => value + b[k]);
  const relu = (x) => x.map((value) => Math.max(0, value));

  function softmax(scores) {
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  function argmax(logits) {
    // of equals the first
    let best = 0;
    for (let state = 1; state < logits.length; state++) if (logits[state] > logits[best]) best = state;
    return best;
  }

  /** (T, T) booleans: may bar i (row) see bar j (column)? */
  function visible(mask, bars) {
    const rule = { none: () => true, causal: (i, j) => j <= i, diagonal: (i, j) => j === i }[mask];
    return Array.from({ length: bars }, (_, i) => Array.from({ length: bars }, (_, j) => rule(i, j)));
  }

  // --- what PyTorch brings

  class Linear {
    constructor(weights, name) {
      this.weight = weights[`${name}.weight`]; // (out, in), row by row, in whole numbers of eight bits
      this.scale = weights[`${name}.weight.scale`]; // (out,): what they are multiples of
      this.bias = weights[`${name}.bias`]; // (out,), or undefined
    }

    /** Four rows at a time, which is twice as fast as one; those after the last come out as NaN and are cut off. */
    forward(x) {
      const { weight, scale, bias } = this,
        width = x.length,
        out = new Float32Array(4 * Math.ceil(scale.length / 4));
      for (let row = 0; row < scale.length; row += 4) {
        let a = 0,
          b = 0,
          c = 0,
          d = 0;
        for (let k = 0, at = row * width; k < width; k++, at++) {
          a += weight[at] * x[k];
          b += weight[at + width] * x[k];
          c += weight[at + 2 * width] * x[k];
          d += weight[at + 3 * width] * x[k];
        }
        out[row] = a;
        out[row + 1] = b;
        out[row + 2] = c;
        out[row + 3] = d;
      }
      return out.subarray(0, scale.length).map((sum, row) => sum * scale[row] + (bias ? bias[row] : 0));
    }
  }

  class LayerNorm {
    constructor(config, weights, name) {
      this.weight = weights[`${name}.weight`];
      this.bias = weights[`${name}.bias`];
      this.epsilon = config.norm_epsilon;
    }

    forward(x) {
      const mean = x.reduce((a, b) => a + b) / x.length;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
      return x.map((value, k) => ((value - mean) / Math.sqrt(variance + this.epsilon)) * this.weight[k] + this.bias[k]);
    }
  }

  /** Linear layers with ReLU between them, called 0, 2, 4, ... as in an nn.Sequential. */
  class Mlp {
    constructor(weights, name) {
      this.layers = [];
      for (let k = 0; `${name}.${k}.weight` in weights; k += 2) this.layers.push(new Linear(weights, `${name}.${k}`));
    }

    forward(x) {
      return this.layers.reduce((x, layer, k) => layer.forward(k ? relu(x) : x), x);
    }
  }

  // --- the model

  /** x_i -> h_i: a whole bar at once, as one one-hot vector. A bar (S,) -> (D,). */
  class LocalEncoder {
    constructor(config, weights) {
      this.states = config.states;
      this.net = new Mlp(weights, "local_encoder.net");
    }

    forward(bar) {
      const one_hot = new Float32Array(bar.length * this.states);
      bar.forEach((token, step) => (one_hot[step * this.states + token] = 1));
      return this.net.forward(one_hot);
    }
  }

  /** Equation (5), g_i -> x̂_i: all steps of a bar at once. (D,) -> logits, S lists of V. */
  class LocalDecoder {
    constructor(config, weights) {
      this.bar = [config.steps, config.states];
      this.net = new Mlp(weights, "local_decoder.net");
    }

    forward(g) {
      const [steps, states] = this.bar,
        logits = this.net.forward(g);
      return Array.from({ length: steps }, (_, step) => logits.subarray(step * states, (step + 1) * states));
    }
  }

  /** A linear map of its own for each bar position, the W_i and b_i of equation (2). Bars -> bars. */
  class BarwiseLinear {
    constructor(weights, name) {
      this.weight = weights[`${name}.weight`]; // (T, in, out), in whole numbers of eight bits
      this.scale = weights[`${name}.weight.scale`]; // (T, 1, out): what they are multiples of
      this.bias = weights[`${name}.bias`]; // (T, 1, out)
    }

    forward(bars) {
      const { weight, scale, bias } = this,
        width = bias.length / bars.length;
      return bars.map((x, i) => {
        const sums = new Float64Array(width);
        for (let k = 0, at = i * x.length * width; k < x.length; k++) {
          for (let column = 0; column < width; column++) sums[column] += x[k] * weight[at++];
        }
        return Float32Array.from(sums, (sum, column) => sum * scale[i * width + column] + bias[i * width + column]);
      });
    }
  }

  /** Multi-head attention from bars to bars; queries, keys and values without bias. */
  class Attention {
    constructor(config, weights, name) {
      this.heads = config.heads;
      this.query = new Linear(weights, `${name}.query`);
      this.key = new Linear(weights, `${name}.key`);
      this.value = new Linear(weights, `${name}.value`);
      this.out = new Linear(weights, `${name}.out`);
    }

    split(x) {
      const width = x.length / this.heads;
      return Array.from({ length: this.heads }, (_, head) => x.subarray(head * width, (head + 1) * width));
    }

    /** What can be attended to: bars -> a key and a value of each, both split by heads. */
    memory(bars) {
      return bars.map((bar) => [this.split(this.key.forward(bar)), this.split(this.value.forward(bar))]);
    }

    /** One bar x (D,) attends to `memory` where `visible` (T,) allows -> (D,). With a list as `weights`, the attention
        weights of each head, (T,), are appended to it. */
    forward(x, memory, visible, weights = null) {
      const seen = memory.filter((_, j) => visible[j]),
        query = this.split(this.query.forward(x));
      const heads = query.map((q, head) => {
        const shares = softmax(
          seen.map(([key]) => key[head].reduce((sum, k, c) => sum + k * q[c], 0) / Math.sqrt(q.length)),
        );
        const rest = shares.values();
        weights?.push(memory.map((_, j) => (visible[j] ? rest.next().value : 0)));
        return q.map((_, c) => seen.reduce((sum, [, value], j) => sum + shares[j] * value[head][c], 0));
      });
      return this.out.forward(Float32Array.from(heads.flatMap((head) => [...head])));
    }
  }

  /** Self-attention, then feed-forward; each added to its input and normalised afterwards (post-norm). */
  class EncoderLayer {
    constructor(config, weights, name) {
      this.attention = new Attention(config, weights, `${name}.attention`);
      this.attention_norm = new LayerNorm(config, weights, `${name}.attention_norm`);
      this.feedforward = new Mlp(weights, `${name}.feedforward`);
      this.feedforward_norm = new LayerNorm(config, weights, `${name}.feedforward_norm`);
    }

    forward(bars, visible, weights = null) {
      const memory = this.attention.memory(bars);
      return bars.map((x, i) => {
        x = this.attention_norm.forward(add(x, this.attention.forward(x, memory, visible[i], weights)));
        return this.feedforward_norm.forward(add(x, this.feedforward.forward(x)));
      });
    }
  }

  /** Self-attention over earlier bars, attention to the codes, feed-forward; all post-norm. */
  class DecoderLayer {
    constructor(config, weights, name) {
      this.attention = new Attention(config, weights, `${name}.attention`);
      this.attention_norm = new LayerNorm(config, weights, `${name}.attention_norm`);
      this.inter = new Attention(config, weights, `${name}.inter`);
      this.inter_norm = new LayerNorm(config, weights, `${name}.inter_norm`);
      this.feedforward = new Mlp(weights, `${name}.feedforward`);
      this.feedforward_norm = new LayerNorm(config, weights, `${name}.feedforward_norm`);
    }

    /** One bar x (D,); `past` and `codes` are memories of the bars so far and of z, each with its visibility. */
    forward(x, past, codes, seen_past, seen_codes) {
      x = this.attention_norm.forward(add(x, this.attention.forward(x, past, seen_past)));
      x = this.inter_norm.forward(add(x, this.inter.forward(x, codes, seen_codes)));
      return this.feedforward_norm.forward(add(x, this.feedforward.forward(x)));
    }
  }

  const positions = (config, weights, name) =>
    Array.from({ length: config.bars }, (_, i) => weights[name].subarray(i * config.d_model, (i + 1) * config.d_model));

  /** Equation (1): g^e_1..T = E(h^e_1..T). Bars -> bars. */
  class TransformerEncoder {
    constructor(config, weights) {
      this.position = positions(config, weights, "encoder.position");
      this.layers = Array.from(
        { length: config.layers },
        (_, n) => new EncoderLayer(config, weights, `encoder.layers.${n}`),
      );
      this.visible = visible(config.encoder_mask, config.bars);
    }

    forward(h, weights = null) {
      return this.layers.reduce(
        (g, layer) => layer.forward(g, this.visible, weights),
        h.map((x, i) => add(x, this.position[i])),
      );
    }
  }

  /** Equation (4): g^d_1..i = D(z_1..i, h^d_0..i-1). */
  class TransformerDecoder {
    constructor(config, weights) {
      this.previous_bar = config.previous_bar;
      this.position = positions(config, weights, "decoder.position");
      this.layers = Array.from(
        { length: config.layers },
        (_, n) => new DecoderLayer(config, weights, `decoder.layers.${n}`),
      );
      this.seen_codes = visible(config.inter_mask, config.bars);
      this.seen_past = visible(config.decoder_mask, config.bars);
    }

    /** One bar at a time: a generator that is sent h_{i-1} (D,) and yields g_i (D,). Keys and values of earlier bars
        are kept, so each bar is computed once. */
    *bar_by_bar(codes) {
      const memories = this.layers.map((layer) => layer.inter.memory(codes));
      const pasts = this.layers.map(() => []);
      let h = new Float32Array(this.position[0].length);
      for (const [i, position] of this.position.entries()) {
        let g = this.previous_bar ? add(position, h) : position;
        for (const [n, layer] of this.layers.entries()) {
          pasts[n].push(...layer.attention.memory([g]));
          g = layer.forward(g, pasts[n], memories[n], this.seen_past[i], this.seen_codes[i]);
        }
        h = yield g;
      }
    }
  }

  /** Melodies of eight bars to eight codes and back. */
  class TransformerVAE {
    constructor(config, weights) {
      this.config = config;
      this.local_encoder = new LocalEncoder(config, weights);
      this.encoder = new TransformerEncoder(config, weights);
      this.to_mu = new BarwiseLinear(weights, "to_mu");
      this.to_logvar = new BarwiseLinear(weights, "to_logvar");
      this.from_code = new BarwiseLinear(weights, "from_code");
      this.decoder = new TransformerDecoder(config, weights);
      this.local_decoder = new LocalDecoder(config, weights);
    }

    /** Each bar alone: tokens (T*S,) -> h, a vector a bar. */
    local(tokens) {
      const { bars, steps } = this.config;
      return Array.from({ length: bars }, (_, i) =>
        this.local_encoder.forward(tokens.subarray(i * steps, (i + 1) * steps)),
      );
    }

    /** Equations (1) and (2), q(z | x): tokens (T*S,) -> mu and log sigma^2, each T vectors of Z. */
    encode(tokens) {
      const g = this.encoder.forward(this.local(tokens));
      return [this.to_mu.forward(g), this.to_logvar.forward(g)];
    }

    /** Free-running: z, T vectors of Z -> tokens (T*S,); each bar's argmax is re-encoded for the next. */
    generate(z) {
      const { bars, steps } = this.config,
        tokens = new Uint8Array(bars * steps);
      const decoder = this.decoder.bar_by_bar(this.from_code.forward(z));
      let g = decoder.next().value;
      for (let i = 0; i < bars; i++) {
        const bar = tokens.subarray(i * steps, (i + 1) * steps);
        bar.set(this.local_decoder.forward(g).map(argmax));
        g = decoder.next(this.local_encoder.forward(bar)).value;
      }
      return tokens;
    }

    /** The encoder's attention weights (layers, heads, T, T), row after row; each row sums to one. */
    attention(tokens) {
      const { heads, bars } = this.config,
        rows = []; // of layers, bars i and heads
      this.encoder.forward(this.local(tokens), rows);
      const weights = new Float32Array(rows.length * bars);
      rows.forEach((row, at) => {
        const head = at % heads,
          i = Math.floor(at / heads) % bars,
          layer = Math.floor(at / heads / bars);
        weights.set(row, ((layer * heads + head) * bars + i) * bars);
      });
      return weights;
    }
  }

  /** KL(N(mu, sigma^2) || N(0, 1)) of each latent dimension, in nats. */
  const kl_divergence = (mu, logvar) => mu.map((m, k) => 0.5 * (m * m + Math.exp(logvar[k]) - logvar[k] - 1));

  /** Bytes of a safetensors file -> its metadata, and its tensors by name, each in one row; whole numbers become floats
      as they are. */
  function read_weights(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = 8 + Number(view.getBigUint64(0, true));
    const text = Array.from(bytes.subarray(8, start), (byte) => String.fromCharCode(byte)).join(""); // ASCII
    const { __metadata__: metadata, ...header } = JSON.parse(text),
      weights = {};
    for (const [
      name,
      {
        dtype,
        data_offsets: [from, to],
      },
    ] of Object.entries(header)) {
      const tensor = bytes.slice(start + from, start + to).buffer;
      weights[name] = new Float32Array(dtype === "I8" ? new Int8Array(tensor) : tensor);
    }
    return [metadata, weights];
  }

  /** The model in the bytes of a file of weights. */
  function from_bytes(bytes) {
    const [{ config }, weights] = read_weights(bytes);
    return new TransformerVAE(JSON.parse(config), weights);
  }

  tvae.model = { TransformerVAE, Linear, EncoderLayer, add, softmax, kl_divergence, read_weights, from_bytes };
})();
