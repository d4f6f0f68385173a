// Everything on the page that somebody sees or hears: [where, text] of text that is drawn, of labels and of hints. Pictograms of
// Material are letters in the page's text; they, code and the users' own texts are left out.
() => {
  const found = [];
  const say = (where, text) => text?.trim() && found.push([where, text.trim().replace(/\s+/g, " ")]);
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) say("text", child.data);
      if (child.nodeType !== Node.ELEMENT_NODE) continue;
      if (child.matches("script, style, code, pre, [data-testid=stText], [data-testid=stIconMaterial], [role=img][aria-label$=' icon']")) continue;
      if (!child.checkVisibility({ visibilityProperty: true })) continue;
      for (const name of ["aria-label", "title", "alt"]) say(name, child.getAttribute(name));
      if (child.matches("input, textarea")) say(child.value ? "value" : "placeholder", child.value || child.placeholder);
      if (child.shadowRoot) walk(child.shadowRoot);
      walk(child);
    }
  };
  walk(document.body);
  return found;
}
