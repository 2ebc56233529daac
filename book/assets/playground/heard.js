/* tvae.heard: what the large roll shows, and what in it is another note than in what is beside it. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    pieces: { silence },
    patch: { hostOf },
  } = tvae;
  const ROLES = { A: "host", B: "donor" };

  /** Of what the page found, the "result", the host's reconstruction ("again"), "A" or "B": {tokens, title, role,
      ghost}; the ghost is the tokens beside it, or null. */
  function heardPiece(found, heard) {
    if (!found) return { ...silence, title: "The result appears here", role: "result", ghost: null };
    const { tokens, title, again, pieces, patch } = found,
      host = hostOf(patch) ?? "A";
    if (heard === "result") return { tokens, title, role: "result", ghost: again[host] };
    if (heard !== "again") return { ...pieces[heard], role: ROLES[heard], ghost: null };
    return { tokens: again[host], title: `${pieces[host].title}, reconstructed`, role: ROLES[host], ghost: tokens };
  }

  /** Of these notes [pitch, onset, end] those of which there is none such among the others. */
  function different(notes, others) {
    const known = new Set(others.map(String));
    return notes.filter((note) => !known.has(String(note)));
  }

  tvae.heard = { heardPiece, different };
})();
