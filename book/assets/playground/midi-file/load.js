/* In a plain script a function is global by its declaration, so `parseMidi` and `writeMidi` need no export. All that is missing for the
   two files as they come from npm is the `module` they assign to; it keeps nothing, lest another script take the page for Node.js. */
globalThis.module = { set exports(_) {} };
