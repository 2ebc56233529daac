/* What is wider than its place scrolls inside itself: then the keyboard reaches it, its name is told, and a hint is
   shown. */
(() => {
  const WIDE =
    ".tvae-table, .tvae-figure, .pst-scrollable-table-container, .bd-article div.highlight pre, mjx-container[display]";

  /** @param {Element} box  @returns {string} its caption, or the heading that it stands under */
  const nameOf = (box) => {
    const caption = box.querySelector("caption, figcaption");
    const section = box.closest("section")?.querySelector("h1, h2, h3, h4");
    const heading = section?.cloneNode(true);
    heading?.querySelector(".headerlink")?.remove();
    return (caption ?? heading)?.textContent.trim() ?? "";
  };

  const sizes = new ResizeObserver((changes) => {
    for (const { target: box } of changes) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      box.classList.toggle("tvae-scrolls", scrolls);
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", `${nameOf(box)} (scrolls sideways)`.trim());
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  });
  for (const box of document.querySelectorAll(WIDE)) sizes.observe(box);
})();
