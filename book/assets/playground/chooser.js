/* tvae.Chooser: a field in which a song is searched for, with the list of those that fit (an ARIA combobox). */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    elements: { make },
    pieces: { songs, allSongs, fits },
  } = tvae;
  const MOST = 300; // that are listed at once

  class Chooser {
    #title = "";
    #options = []; // [node, song]
    #active = -1;

    /** onChoose(song) */
    constructor(name, folder, onChoose) {
      this.folder = folder;
      this.onChoose = onChoose;
      const id = `tvae-songs-${name}`;
      this.input = make("input", {
        class: "tvae-select tvae-search",
        type: "text",
        role: "combobox",
        autocomplete: "off",
        spellcheck: "false",
        "aria-label": `Melody ${name}: search for a tune`,
        "aria-expanded": "false",
        "aria-controls": id,
        "aria-autocomplete": "list",
      });
      this.list = make("div", { class: "tvae-options", id, role: "listbox", "aria-label": "Tunes", hidden: "" });
      this.root = make("div", { class: "tvae-chooser" }, this.input, this.list);
      this.input.addEventListener("focus", () => this.input.select());
      this.input.addEventListener("click", () => this.#open());
      this.input.addEventListener("input", () => this.#open(this.input.value));
      this.input.addEventListener("blur", () => this.#close());
      this.input.addEventListener("keydown", (event) => this.#key(event));
      this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
      this.list.addEventListener("click", (event) => {
        const option = this.#options.find(([node]) => node === event.target);
        if (option) this.#choose(option[1]);
      });
    }

    show(title) {
      this.#title = title;
      if (this.list.hidden) this.input.value = title;
    }

    async #open(query = "") {
      this.list.hidden = false;
      this.input.setAttribute("aria-expanded", true);
      this.#fill(query, songs());
      try {
        const all = await allSongs(this.folder);
        if (!this.list.hidden && this.#query() === query) this.#fill(query, all);
      } catch {
        // those that are there can still be found
        if (!this.list.hidden)
          this.list.append(make("p", { class: "tvae-small" }, "The other tunes could not be loaded."));
      }
    }

    /** What is searched for: nothing as long as the field holds the title of what is chosen. */
    #query() {
      return this.input.value === this.#title ? "" : this.input.value;
    }

    #fill(query, groups) {
      let left = MOST;
      this.#options = [];
      const shown = groups.flatMap(({ group, songs }) => {
        const found = songs.filter(({ title }) => fits(title, query)),
          some = found.slice(0, left);
        left -= some.length;
        if (!some.length) return [];
        const nodes = some.map((song) => {
          const chosen = song.title === this.#title;
          const node = make(
            "div",
            { role: "option", id: `${this.list.id}-${this.#options.length}`, "aria-selected": chosen },
            song.title,
          );
          this.#options.push([node, song]);
          return node;
        });
        const rest = found.length - some.length;
        const tail = rest ? [make("p", { class: "tvae-small" }, `and ${rest} more: type some of the title`)] : [];
        return [
          make(
            "div",
            { role: "group", "aria-label": group },
            make("strong", { "aria-hidden": "true" }, group),
            ...nodes,
            ...tail,
          ),
        ];
      });
      this.list.replaceChildren(
        ...shown,
        ...(shown.length ? [] : [make("p", { class: "tvae-small" }, "No tune here has such a name.")]),
      );
      this.#activate(query ? 0 : this.#options.findIndex(([, { title }]) => title === this.#title));
    }

    #activate(number) {
      this.#options[this.#active]?.[0].classList.remove("tvae-active");
      this.#active = Math.min(this.#options.length - 1, number);
      const node = this.#options[this.#active]?.[0];
      node?.classList.add("tvae-active");
      node?.scrollIntoView({ block: "nearest" });
      if (node) this.input.setAttribute("aria-activedescendant", node.id);
      else this.input.removeAttribute("aria-activedescendant");
    }

    #close() {
      this.list.hidden = true;
      this.input.setAttribute("aria-expanded", false);
      this.input.removeAttribute("aria-activedescendant");
      this.input.value = this.#title;
      this.#active = -1;
    }

    #choose(song) {
      this.#title = song.title;
      this.#close();
      this.onChoose(song);
    }

    #key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const open = !this.list.hidden,
        move = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (move && !open) this.#open();
      else if (move) this.#activate(Math.max(0, this.#active + move));
      else if (event.key === "Enter" && open && this.#active >= 0) this.#choose(this.#options[this.#active][1]);
      else if (event.key === "Escape" && open) this.#close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }
  }

  tvae.Chooser = Chooser;
})();
