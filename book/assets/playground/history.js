/* tvae.History: the states that the playground was in. A state never changes: a change makes another one. */
(() => {
  "use strict";

  const GESTURE = 1000; // ms: changes of one kind that come faster are one

  class History {
    #past = [];
    #future = [];
    #kind = "";
    #time = 0;

    constructor(state) {
      this.state = state;
    }

    /** Another state. With a `kind`, as of a slider that moves, it takes the place of the one just before of that kind.
     */
    commit(state, kind = "") {
      const now = performance.now();
      if (!kind || kind !== this.#kind || now - this.#time > GESTURE) this.#past.push(this.state);
      this.#kind = kind;
      this.#time = now;
      this.#future = [];
      this.state = state;
    }

    /** Begin anew: nothing is before this state. */
    begin(state) {
      this.#past = [];
      this.#future = [];
      this.#kind = "";
      this.state = state;
    }

    get canUndo() {
      return this.#past.length > 0;
    }

    get canRedo() {
      return this.#future.length > 0;
    }

    undo() {
      return this.#travel(this.#past, this.#future);
    }

    redo() {
      return this.#travel(this.#future, this.#past);
    }

    #travel(from, to) {
      if (!from.length) return false;
      to.push(this.state);
      this.state = from.pop();
      this.#kind = "";
      return true;
    }
  }

  globalThis.tvae.History = History;
})();
