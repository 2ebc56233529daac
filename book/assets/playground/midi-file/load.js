/* In a plain script a function is global by its declaration, so `writeMidi` needs no export. All that is missing for
   the file as it comes from npm is the `module` it assigns to; it keeps nothing, lest another script take the page for
   Node.js. */
globalThis.module = { set exports(_) {} };
