"""Strings that try to become code: made here from parts, so that the corpus is ours and grows by one word."""

from itertools import product

RUN = "window.ran=(window.ran||0)+1"
TAGS = (
    "img",
    "svg",
    "video",
    "audio",
    "details",
    "input",
    "body",
    "iframe",
    "object",
    "embed",
    "math",
    "marquee",
    "a",
    "form",
    "button",
    "select",
    "style",
    "link",
    "table",
    "isindex",
    "x-foo",
)
HANDLERS = (
    "onerror",
    "onload",
    "onfocus",
    "onmouseover",
    "ontoggle",
    "onanimationstart",
    "onbeforetoggle",
    "onpointerenter",
    "oncontentvisibilityautostatechange",
)
BREAKS = ("", '"', "'", '">', "'>", "-->", "</title>", "</textarea>", "</script>", "`", "]]>", "\n\n", "\x0b")
SCHEMES = (
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "java\nscript:",
    " javascript:",
    "\x01javascript:",
    "javascript&colon;",
    "&#106;avascript:",
    "data:text/html,",
    "vbscript:",
    "javascript://%0a",
)


def payloads() -> list[str]:
    """Return more than 1,000 different strings; each would raise `window.ran` if it ran."""
    made = []
    for tag, handler in product(TAGS, HANDLERS):
        made.append(f"<{tag} src=x href=x open autofocus tabindex=1 {handler}={RUN}>")
        made.append(f"<{tag}/{handler}={RUN}//")
    for opening, tag in product(BREAKS, TAGS):
        made.append(f"{opening}<{tag} src=x onerror={RUN} onload={RUN} autofocus onfocus={RUN}>")
    for opening in BREAKS:
        made += [
            f"{opening}<script>{RUN}</script>",
            f"{opening}<ScRiPt >{RUN}</sCrIpT>",
            f"{opening}<script\x00>{RUN}</script>",
            f"{opening} onmouseover={RUN} autofocus onfocus={RUN} x=",
            f"{opening}<svg><script>{RUN}</script></svg>",
            f"{opening}<svg><animate onbegin={RUN} attributeName=x dur=1s>",
            f"{opening}<iframe srcdoc='<script>parent.{RUN}</script>'>",
            f"{opening}<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
            f"{opening}<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
            f"{opening}<template><img src=x onerror={RUN}></template>",
            f"{opening}<base href='javascript:{RUN}//'>",
            f"{opening}<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
            f"{opening}<div hx-get=/ hx-trigger=load hx-on::load='{RUN}'>x</div>",
            f"{opening}<div data-hx-on:click='{RUN}' hx-vals='js:{{a:{RUN}}}' hx-get=/>x</div>",
        ]
    for scheme in SCHEMES:
        made += [
            f"[x]({scheme}{RUN})",
            f"![x]({scheme}{RUN})",
            f"<{scheme}{RUN}>",
            f"[x]: {scheme}{RUN}\n\n[x]",
            f"[x](<{scheme}{RUN}>)",
            f"<a href='{scheme}{RUN}'>x</a>",
            f"<form action='{scheme}{RUN}'><button>x",
            f"<svg><a xlink:href='{scheme}{RUN}'><text>x",
            f"<iframe src='{scheme}{RUN}'>",
            f"<object data='{scheme}{RUN}'>",
            f'[x](x "onmouseover={RUN} {scheme}")',
        ]
    for code in (
        "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;img src=x onerror={}&#62;",
        "\\x3cscript\\x3e{}",
        "{{{{ {} }}}}",
        "{{% {} %}}",
        "${{{}}}",
        "\u003cimg src=x onerror={}\u003e",
        "＜script＞{}＜/script＞",
        "+ADw-script+AD4-{}",
        "%3Cscript%3E{}%3C/script%3E",
    ):
        made.append(code.format(RUN))
        made += [f"{opening}{code.format(RUN)}" for opening in BREAKS[1:]]
    return list(dict.fromkeys(made))


# What has no business in a page of ours, wherever a text from a person stands
DANGEROUS = """() => {
  const bad = [];
  for (const node of document.querySelectorAll("*")) {
    for (const attribute of node.attributes)
      if (/^on|^hx-on|^data-hx-on/i.test(attribute.name)) bad.push(`${node.tagName} ${attribute.name}`);
    for (const name of ["href", "src", "action", "formaction", "xlink:href", "data", "srcdoc"]) {
      const value = (node.getAttribute(name) || "").replace(/[\\u0000-\\u0020]/g, "").toLowerCase();
      if (/^(javascript|vbscript|data:text)/.test(value)) bad.push(`${node.tagName} ${name}=${value.slice(0, 40)}`);
    }
    if (/^(iframe|object|embed|base|math|marquee|x-foo|isindex)$/i.test(node.tagName)) bad.push(node.tagName);
    if (node.tagName === "SCRIPT" && !node.src && node.type !== "application/json") bad.push("inline script");
    if (node.closest("main") && /^(STYLE|LINK|META)$/.test(node.tagName)) bad.push(node.tagName);
  }
  return [...new Set(bad)];
}"""
