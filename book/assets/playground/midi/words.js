/* The names of parts: in which letters they are written, and what they say of the melody: tvae/midi/words.py, name for
   name. */
(() => {
  "use strict";
  const {
    midi,
    midi: { latin },
  } = globalThis.tvae;

  // What speaks for the melody, the best first, and what speaks against it; of lower-case names.
  const MELODY = [
    String.raw`m[eé]lod|旋律|멜로디|メロ|мелод`,
    String.raw`voice|vocal|vox|(?<![a-z])voix|(?<![a-z])vo[cz]e?(?![a-z])|sing(?!le)|sung` +
      String.raw`|(?<![a-z])canto(?![a-z])|cantus|gesang|singstimme` +
      String.raw`|(?<![a-z])chant|soprano?|人声|主唱|演唱|歌|보컬|노래|ボーカル|ヴォーカル|うた|вокал|голос`,
    String.raw`(?<![a-zé])lead(?![a-z])|(?<![a-z])solo(?![a-z])|(?<![a-z])th?em[ae](?![a-z])` +
      String.raw`|(?<![a-z])tune(?![a-z])|主奏|独奏|솔로|リード|ソロ|соло`,
  ];
  const OTHER =
    String.raw`back|harmon(?!i[ck]a)|choir|chorus|(?<![a-z])chor(?![a-z])|(?<![a-z])[ao]+hs?(?![a-z])` +
    String.raw`|support|second|counter|doubl|echo|delay` +
    String.raw`|bas(?!soon)s|(?<![a-z])basso?(?![a-z])|drum|perc|(?<![a-z])toms?(?![a-z])|string|streich` +
    String.raw`|archi(?![a-z])|(?<![a-z])pads?(?![a-z])|chord|akkord|accord(?!ion|eon)` +
    String.raw`|accomp|begleit|acomp|rh?yth?m|arpeg|click|metronom|left hand|(?<![a-z])lh(?![a-z])` +
    String.raw`|(?<![a-z])fx(?![a-z])|effect` +
    String.raw`|伴奏|和声|和音|和弦|合唱|贝斯|貝斯|鼓|弦|반주|코러스|베이스|드럼|현악|コーラス|ベース|ドラム|ストリングス|コード|бас|ударн|аккомп|хор|струн`;

  // In the order in which they are tried, the one with the fewest letters first: the charset's name in a browser, what
  // its bytes can be.
  const CHARSETS = [
    ["euc-kr", /^(?:([\0-\x7f]|[\xa1-\xa3\xb0-\xc8][\xa1-\xfe])*)$/s],
    ["gb18030", /^(?:([\0-\x7f]|[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]|[\xd8-\xf7][\xa1-\xfe](?=[\xb0-\xd7]))*)$/s],
    [
      "shift_jis",
      /^(?:(?=.*[\x81-\x9f].*[\x81-\xef])([\0-\x7f\xa1-\xdf]|[\x81-\x9f\xe0-\xef][\x40-\x7e\x80-\xfc])*)$/s,
    ],
  ];

  const melody = MELODY.map((pattern) => new RegExp(pattern)),
    other = new RegExp(OTHER);

  /** The bytes of a file's names -> text. Most programs write UTF-8; old ones write the letters of their country, a
      file one kind. */
  function decode(names) {
    const found = names.map(from_utf8),
      charset = _charset(names.filter((_, k) => found[k] === null));
    return found.map((text, k) => strip(text ?? charset(names[k]), " \t\r\n\0")); // some fill up with zeros
  }

  /** 3, 2, 1: a name for the melody, from the best on; 0: it says nothing; -1: it speaks of something else. */
  function standing(name) {
    const lower = name.toLowerCase();
    if (other.test(lower)) return -1;
    const found = melody.findIndex((pattern) => pattern.test(lower));
    return found < 0 ? 0 : 3 - found;
  }

  /** null where they are none. */
  function from_utf8(bytes) {
    try {
      return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
    } catch {
      return null;
    }
  }

  /** How to read these names: by what their bytes can be. Korean and Chinese write pairs of high bytes, Korean fewer of
      them; Japanese pairs begin with bytes that no other letters have; in Western words single ones stand among plain
      letters. */
  function _charset(names) {
    const found = [];
    for (const [charset, pattern] of globalThis.TextDecoder ? CHARSETS : []) {
      try {
        const decoder = new TextDecoder(charset, { fatal: true }),
          read = (bytes) => decoder.decode(bytes);
        if (!names.every((name) => pattern.test(latin(name)))) continue;
        const texts = names.map(read); // throws where they are none
        if (texts.some((text) => standing(text))) return read; // a word that is known tells more than the bytes
        found.push(read);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      }
    }
    return found[0] ?? latin;
  }

  function strip(text, filling) {
    let start = 0,
      end = text.length;
    while (start < end && filling.includes(text[start])) start += 1;
    while (end > start && filling.includes(text[end - 1])) end -= 1;
    return text.slice(start, end);
  }

  Object.assign(midi, { MELODY, OTHER, decode, standing });
})();
