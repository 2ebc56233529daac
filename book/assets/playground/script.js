/* tvae.script(url): a promise that a script is loaded. Pages from file:// may load nothing else. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  tvae.script = (url) => {
    const element = document.createElement("script");
    return new Promise((resolve, reject) => {
      element.src = url;
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${url} could not be loaded; check the connection and try again.`));
      document.head.append(element);
    }).finally(() => element.remove());
  };
})();
