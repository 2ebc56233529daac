/* Scripts that are loaded when they are asked for. Pages from file:// may load nothing else. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const loaded = new Map(); // URL -> its promise

  /** A promise that a script has run, now. */
  tvae.run = (url) => {
    const element = document.createElement("script");
    return new Promise((resolve, reject) => {
      element.src = url;
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${url} could not be loaded; check the connection and try again.`));
      document.head.append(element);
    }).finally(() => element.remove());
  };

  /** A promise that a script has run, once on this page, whoever asks. */
  tvae.script ??= (url) => {
    if (!loaded.has(url)) {
      loaded.set(url, tvae.run(url));
      loaded.get(url).catch(() => loaded.delete(url)); // to be asked for again
    }
    return loaded.get(url);
  };
})();
