/* tvae.measurement: claims measured again on the embedded test tunes, one couple of transfers or one piece after the
   other.

   What there is to measure comes from measure-data.js (written by tvae/report/remeasure.py): the test pieces with their
   songs, the couples [host, donor, other donor, group] as `tvae.studies.transfers.couples` draws them, and the order
   for single pieces. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    transfers,
    codes,
    statistics: { multinomial, quantiles, weighted },
  } = tvae;
  const BAR = 1; // whose code is swapped
  const FEWEST = 5; // groups of songs for an interval

  /** Claims C7 to C9: hosts with two donors each, of whom bar 1 is taken. */
  class Transfers {
    units = []; // sums of each group

    constructor({ pieces, couples }) {
      this.pieces = pieces.map(melody.from_text);
      this.steps = couples;
      this.each = 2; // transfers a step
      this.noun = "transfers";
    }

    /** Measure one step with a model. */
    async take([host, one, other, group], model) {
      const [own, ...donors] = [host, one, other].map((k) => this.pieces[k]);
      const [again, ...donors_again] = await Promise.all([own, ...donors].map((tokens) => model.again(tokens)));
      const [z, ...given] = await Promise.all([own, ...donors].map((tokens) => model.encode(tokens)));
      const width = z.length / melody.BARS;
      const swapped = given.map((donor) => z.map((value, k) => (k < BAR * width ? donor[k] : value)));
      const results = await Promise.all(swapped.map((code) => model.decode(code)));
      const sums = transfers.measures(own, again, donors, donors_again, results, [BAR]);
      this.units[group] = weighted([this.units[group] ?? {}, sums], [1, 1]);
    }

    /** {statistic: value} of units with these weights. */
    values(weights) {
      return transfers.values(weighted(this.units, weights));
    }
  }

  /** Claim C4: what repeated bars cost less than new ones. */
  class Rates {
    units = []; // of each song its bars

    constructor({ pieces, length, song, order }) {
      this.pieces = pieces.map(melody.from_text);
      this.length = length;
      this.song = song;
      this.steps = order;
      this.each = 1;
      this.noun = "pieces";
    }

    async take(piece, model) {
      const tokens = this.pieces[piece],
        rate = await model.rate(tokens);
      (this.units[this.song[piece]] ??= []).push(...codes.strata(tokens, this.length[piece], rate));
    }

    values(weights) {
      return { saving: codes.saving(this.units, weights) };
    }
  }

  /** A measurement that can be stopped and gone on with. */
  class Measurement {
    taken = 0; // steps

    constructor(kind, data, model) {
      this.kind = new { transfers: Transfers, rates: Rates }[kind](data);
      this.model = model;
    }

    get done() {
      return this.taken >= this.kind.steps.length;
    }

    async step() {
      await this.kind.take(this.kind.steps[this.taken], this.model);
      this.taken += 1;
    }

    /** {statistic: [value, low, high]} so far; without an interval where there are too few groups. */
    estimates(draws) {
      const units = this.kind.units,
        known = [...units.keys()].filter((k) => units[k]);
      const one = this.kind.values(Array.from(units, () => 1));
      const drawn =
        known.length < FEWEST
          ? []
          : multinomial(known.length, draws).map((counts) => {
              const weights = new Array(units.length).fill(0);
              known.forEach((unit, k) => (weights[unit] = counts[k]));
              return this.kind.values(weights);
            });
      return Object.fromEntries(
        Object.entries(one).map(([name, value]) => [name, [value, ...quantiles(drawn.map((values) => values[name]))]]),
      );
    }
  }

  tvae.Measurement = Measurement;
})();
