/* Where the bars of a file begin, and where its notes lie in them: tvae/midi/bars.py, name for name.

   Positions are ticks, or steps: sixteenths. A piece needs bars of four quarters, but a file may count in other bars,
   in beats, or not at all, may begin with an upbeat, and may have been played a little late. */
(() => {
  "use strict";
  const {
    midi,
    melody: { STEPS },
  } = globalThis.tvae;

  const FINE = 96; // parts of a sixteenth, or of a beat, in which it is asked how far notes lie from the grid
  const COSINE = Array.from({ length: FINE }, (_, k) => Math.round(1000 * Math.cos((2 * Math.PI * k) / FINE)));
  const ENOUGH = 8; // onsets that tell something of the grid
  const TOGETHER = 0.7; // of 1: how much onsets agree on how late they are, before they are moved
  const LATE = 10; // 96ths of a sixteenth: from where on they are moved
  const LATEST = 58; // 96ths of a sixteenth: what lies later is early
  const FAR = 16.5; // 96ths of a sixteenth from onsets to the nearest one, on average, without beats; 24 by chance
  const BASS = 4; // times as much as another note the lowest one tells of where bars begin
  const CLEARLY = 0.9; // of what sounds: begins so much off the beat, the beat is wrong
  const PLAINLY = 0.75; // the same where bars are not given

  const modulo = (a, b) => ((a % b) + b) % b;
  const sine = (k) => COSINE[modulo(k - FINE / 4, FINE)];
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  /** Where the greatest value is, of equals the first. */
  const greatest = (values) => values.reduce((best, value, k) => (value > values[best] ? k : best), 0);

  /** How many bars a stretch has, the last perhaps a short one. */
  const bars_of = ({ start, end, bar }) => (end === Infinity ? end : Math.ceil((16 * (end - start)) / bar));

  /** The file's bars up to tick `end`, and the meter that is read in bars of four quarters though its own are others,
      or "".

      A stretch is bars of equal length, one after the other: {start, end, bar, usable, meter, number}: the tick where
      it starts, the one before which it ends (infinite for the last), 16ths of a tick in a bar, whether these are bars
      of four quarters, "3/4", the number of its first bar. */
  function stretches(song, end) {
    const whole = 64 * song.quarter;
    const listed = song.tracks.flatMap((track) => track.meters).sort((a, b) => a[0] - b[0]);
    // of two at one tick the last counts
    const meters = [...new Map(listed.map((meter) => [meter[0], meter])).values()];
    if (!meters.length || meters[0][0] > 0) meters.unshift([0, 4, 2]);
    let found = [],
      other = "";
    meters.forEach(([tick, beats, power], k) => {
      const bar = Math.floor((beats * whole) / 2 ** power),
        until = meters[k + 1]?.[0] ?? Infinity;
      const usable = whole % bar === 0 || bar % whole === 0,
        meter = `${beats}/${2 ** power}`;
      const last = found.at(-1);
      if (last?.meter === meter) {
        const inside = 16 * (tick - last.start);
        if (inside > whole || inside % (16 * song.quarter)) {
          // else a new bar begins: what came before was an upbeat
          last.end = until;
          return;
        }
      }
      if (usable && bar !== whole && 16 * (Math.min(until, end) - tick) > 2 * whole) other ||= meter;
      found.push({ start: tick, end: until, bar: usable ? whole : bar, usable, meter, number: 1 });
    });
    found = _joined(found, whole, end);
    let number = found.length > 1 && 16 * found[0].end < whole ? 0 : 1; // an upbeat is no bar
    for (const stretch of found) {
      stretch.number = number;
      number += stretch === found.at(-1) ? 0 : bars_of(stretch);
    }
    return [found, other];
  }

  /** Stretches that go on with the bars of the one before them are one; so is a bar that is split into shorter ones,
      and a short last bar. */
  function _joined(found, whole, end) {
    const last = found.at(-1);
    if (found.length > 1 && last.bar < whole && 16 * (end - last.start) <= last.bar)
      [last.bar, last.usable] = [whole, true];
    const joined = [];
    for (let k = 0; k < found.length;) {
      let stretch = found[k],
        parts = 1;
      if (!(stretch.usable && bars_of(stretch) > 1)) {
        while (parts < 4 && k + parts < found.length && 16 * (found[k + parts - 1].end - stretch.start) < whole)
          parts += 1;
        const { end: until } = found[k + parts - 1];
        if (parts > 1 && 16 * (until - stretch.start) === whole)
          stretch = { ...stretch, end: until, bar: whole, usable: true };
        else parts = 1;
      }
      const before = joined.at(-1);
      if (before?.usable && stretch.usable && (16 * (stretch.start - before.start)) % whole === 0)
        before.end = stretch.end;
      else joined.push(stretch);
      k += parts;
    }
    return joined;
  }

  /** Where onsets lie between two neighbours of a grid of `unit` to a quarter note, in 96ths. */
  const fine = (onsets, quarter, unit) =>
    onsets.map((onset) => modulo(Math.floor((2 * FINE * unit * onset + quarter) / (2 * quarter)), FINE));

  /** How much later than the sixteenths most onsets lie, in 96ths of one (earlier: negative); 0 where they do not
      agree. */
  function lateness(onsets, quarter) {
    if (onsets.length < ENOUGH) return 0;
    let x = 0,
      y = 0;
    for (const place of fine(onsets, quarter, 4)) [x, y] = [x + COSINE[place], y + sine(place)];
    const along = COSINE.map((cosine, k) => x * cosine + y * sine(k)),
      best = greatest(along);
    if (along[best] < TOGETHER * 1e6 * onsets.length) return 0;
    const late = best < LATEST ? best : best - FINE;
    return Math.abs(late) >= LATE ? late : 0;
  }

  /** How onsets in ticks lie, which are not late: {swung, triplets, free}: are they swung; how many are triplets; do
      they not keep to the beat? */
  function rhythm(onsets, quarter) {
    const places = fine(onsets, quarter, 1); // in a beat: 24 is a sixteenth, 32 a third
    const near = (targets, by = 2) =>
      places.filter((place) => targets.some((target) => Math.abs(place - target) <= by)).length;
    const enough = places.length >= ENOUGH;
    const swings = near([62], 6),
      swung = swings * 5 >= places.length && swings > 5 * (near([32]) + near([48])) && enough;
    let triplets = swung ? 0 : near([32]) + near([64]) + near([16, 80]);
    if (20 * triplets < places.length || triplets < 3) triplets = 0;
    const slow = places.filter((_, k) => k === onsets.length - 1 || 16 * (onsets[k + 1] - onsets[k]) >= 3 * quarter);
    const distance = sum(slow.map((place) => 4 * Math.min(place % 24, 24 - (place % 24)))); // in 96ths of a sixteenth
    const known = triplets ? near([0, 16, 24, 32, 48, 64, 72, 80, 96]) : 0;
    const free = slow.length >= ENOUGH && distance > FAR * slow.length && 10 * known < 9 * places.length && !swung;
    return { swung, triplets: free ? 0 : triplets, free };
  }

  /** A tick of swung music -> where it lies with even eighths: two thirds of each beat become half of it. */
  function straight(tick, quarter) {
    const beat = Math.floor(tick / quarter),
      inside = tick - beat * quarter;
    if (3 * inside <= 2 * quarter) return beat * quarter + Math.floor((6 * inside + 4) / 8);
    return (beat + 1) * quarter - Math.floor((6 * (quarter - inside) + 2) / 4);
  }

  /** How many steps after the file's bar lines the music's bars begin: 0 ... 15.

      A bar begins where most of the sound begins: long notes, chords, and above all the bass. `trust` in the file's bar
      lines: 0 where it has none; else how much of the most sound must begin on them. Of a melody alone, or at a trust
      of 1, bar lines are only believed to be wrong where all but nothing begins on their beats. */
  function first_beat(notes, quarter, shift, trust, accompanied) {
    const steps = notes.map(([onset]) => Math.floor((8 * (onset - shift) + quarter) / (2 * quarter))),
      lowest = new Map();
    notes.forEach(([, , pitch], k) => lowest.set(steps[k], Math.min(lowest.get(steps[k]) ?? pitch, pitch)));
    const weight = Array(STEPS).fill(0);
    notes.forEach(([onset, end, pitch], k) => {
      weight[modulo(steps[k], STEPS)] +=
        Math.min(end - onset, 4 * quarter) * (pitch === lowest.get(steps[k]) ? BASS : 1);
    });
    if (accompanied && trust < 1) {
      const best = greatest(weight);
      return weight[0] < (trust || 1) * weight[best] ? best : 0;
    }
    const beats = [0, 1, 2, 3].map((k) => sum(weight.filter((_, step) => step % 4 === k))),
      best = greatest(beats);
    const enough = beats[best] >= (trust === 1 ? CLEARLY : PLAINLY) * sum(weight);
    return enough && notes.length >= ENOUGH ? best : 0;
  }

  Object.assign(midi, { FINE, bars_of, first_beat, lateness, modulo, rhythm, straight, stretches });
})();
