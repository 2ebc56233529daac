/* A part in time: one line on the grid of sixteenths, bar by bar, and what that took: tvae/midi/take.py, name for
   name. */
(() => {
  "use strict";
  const {
    midi,
    midi: { FINE },
    melody: { PIECE },
  } = globalThis.tvae;

  // Trust in a file's bar lines: as it says; but the notes lie beside them; it says nothing.
  const GIVEN = 1,
    LATE = 0.8,
    UNSAID = 0.5;
  const CONTEXT = PIECE; // steps before and after the first 8 bars that tell where bars begin

  /** The line of one of the voices of a song; where bars begin is asked around its first notes.

      -> {stretches, notes, shift, notices}: the stretches of bars in the file, and of each the notes of the part, in
      steps from its first bar on; ticks by which the music's bars are later than the file's; sentences. */
  function take(song, voices, voice) {
    const { quarter } = song,
      step = Math.max(Math.floor(quarter / 4), 1),
      notices = [];
    let ticks = midi.without_ornaments(midi.top_line(voice.notes, step), step);
    if (!voice.single && ticks.length < voice.notes.length) {
      notices.push(`'${voice.part.name}' is not a single line: its highest notes were taken.`);
    }
    const [stretches, other] = midi.stretches(song, ticks.at(-1)[1]);
    if (other) notices.push(`The file counts in bars of ${other}: they were read in bars of four quarters.`);
    const others = voices.flatMap((one) => (one === voice || one.part.percussion ? [] : one.notes));
    const music = [...others, ...(voice.single ? ticks : voice.notes)];

    const onsets = (notes) => notes.map(([onset]) => onset);
    const late = midi.lateness(onsets(ticks), quarter) || midi.lateness(onsets(music), quarter);
    const ours = song.tracks.some(({ marked }) => marked); // what `write_midi` wrote is meant as it stands
    if (late) {
      const side = late > 0 ? "after" : "before";
      notices.push(`The notes lie ${_tenths(late)} of a sixteenth ${side} the beats: all were moved.`);
    }
    let shift = Math.floor((late * quarter + 2 * FINE) / (4 * FINE)),
      said;
    [ticks, said] = _simplified(ticks, quarter, shift);
    notices.push(...said);

    const meters = song.tracks.some((track) => track.meters.length);
    const trust = other ? 0 : late ? LATE : meters ? GIVEN : UNSAID;
    const accompanied = 2 * music.length >= 3 * ticks.length;
    const begins = [
      0,
      ...stretches
        .slice(1)
        .map(({ start }) => midi.bisect(ticks, start + shift - Math.floor(step / 2), ([onset]) => onset)),
    ];
    const many = begins.map((begin, k) => (begins[k + 1] ?? ticks.length) - begin),
      most = many.indexOf(midi.highest(many));
    const first = ticks[begins[most]][0],
      base = stretches[most];
    const low = first - CONTEXT * step,
      high = first + (PIECE + CONTEXT) * step;
    const near = (accompanied ? music : ticks).filter(([onset]) => low <= onset && onset < high);
    const later = ours ? 0 : midi.first_beat(near, quarter, shift + base.start, trust, accompanied);
    if (later) {
      notices.push(`The music's bars begin ${_length(later)} after the file's: they were read so.`);
      shift += Math.floor((later * quarter + 2) / 4);
    }

    let lost = 0,
      at = 0;
    const notes = stretches.map((stretch) => {
      const until = midi.bisect(ticks, stretch.end + shift - Math.floor(step / 2), ([onset]) => onset);
      const [found, dropped] = midi.on_grid(ticks.slice(at, until), quarter, shift + stretch.start);
      at = until;
      lost += dropped;
      return found;
    });
    if (lost) notices.push(`${_many(lost, "note")} shorter than a sixteenth ${lost === 1 ? "was" : "were"} left out.`);
    return { stretches, notes, shift, notices };
  }

  /** A line with swung eighths made even, and what its rhythm loses on the grid, in sentences. */
  function _simplified(ticks, quarter, shift) {
    const { swung, triplets, free } = midi.rhythm(
      ticks.map(([onset]) => onset - shift),
      quarter,
    );
    if (swung) {
      const even = (tick) => midi.straight(tick - shift, quarter) + shift;
      return [
        ticks.map(([onset, end, pitch]) => [even(onset), even(end), pitch]),
        ["The eighths are swung: they were made even."],
      ];
    }
    if (triplets) return [ticks, [`${_many(triplets, "note")} of triplets were moved to the nearest sixteenths.`]];
    if (free) {
      return [
        ticks,
        [
          "The notes do not lie on the file's beats, so their rhythm was changed: " +
            "record with a click, or set the file's tempo to that of the music.",
        ],
      ];
    }
    return [ticks, []];
  }

  function _tenths(late) {
    const tenths = Math.floor((Math.abs(late) * 10 + FINE / 2) / FINE);
    return tenths === 5 ? "half" : `${tenths} tenths`;
  }

  const _many = (number, what) => (number === 1 ? `${number} ${what}` : `${number} ${what}s`);

  function _length(steps) {
    const parts = [
      [Math.floor(steps / 4), "beat"],
      [steps % 4, "sixteenth"],
    ];
    return parts
      .filter(([number]) => number)
      .map(([number, what]) => _many(number, what))
      .join(" and ");
  }

  midi.take = take;
})();
