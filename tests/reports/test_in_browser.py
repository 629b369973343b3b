"""The page in a browser: nothing overflows, nothing is requested, nothing is complained of."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

from taskworlds.evaluation.pooled import pool
from taskworlds.reports import report_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]

# Measures the page in frames of both widths, and says what it found in place of the page. Frames of one file share no
# origin with another, so the page is put into them as text; its own policy on content holds there too.
PROBE = """<!doctype html><body><script>
const page = PAGE, found = [];
addEventListener("securitypolicyviolation", (event) => found.push(event.violatedDirective));
async function look(width) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  frame.srcdoc = page;
  document.body.append(frame);
  await new Promise((done) => (frame.onload = done));
  const inside = frame.contentDocument, root = inside.documentElement;
  for (const folded of inside.querySelectorAll("details")) folded.open = true;
  await new Promise((done) => setTimeout(done, 500));
  const button = inside.querySelector("section[aria-labelledby=skills] th button");
  const first = () => button.closest("table").tBodies[0].rows[0].cells[0].textContent;
  const before = first();
  const figure = [...inside.querySelectorAll("section[aria-labelledby=skills] th.number button")][0];
  figure.click(); figure.click();
  const shown = [...inside.querySelectorAll(".chart-box")].filter((box) => box.getBoundingClientRect().width > 0);
  const letters = shown.flatMap((box) => [...box.querySelectorAll("text")].map((text) => text.getBoundingClientRect()));
  const result = {
    width, scroll: root.scrollWidth, client: root.clientWidth, before, after: first(),
    charts: shown.length, height: root.scrollHeight,
    letters: Math.min(...letters.map((box) => box.height)),
    outside: letters.filter((box) => box.left < -1 || box.right > root.clientWidth + 1).length,
    requested: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
    videos: [...inside.querySelectorAll("video")].map((video) => [video.videoWidth, video.error?.message ?? null]),
  };
  frame.remove();
  return result;
}
(async () => {
  const looks = [await look(1280), await look(360)];
  document.body.textContent = "FOUND" + JSON.stringify({ looks, found });
})();
</script></body>"""


def opened(page, folder):
    """What Chromium finds of a page, and what it says of errors."""
    folder.mkdir()
    text = json.dumps(page).replace("</", "<\\/")
    (folder / "probe.html").write_text(PROBE.replace("PAGE", text, 1), encoding="utf-8")
    ran = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1400,1000",
            f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000",
            "--dump-dom", (folder / "probe.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r"FOUND(\{.*\})", html.unescape(ran.stdout))
    assert found, ran.stdout[-2000:]
    complaints = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(found[1]), complaints


@pytest.fixture
def pages(results):
    many = [f"skill-with-a-rather-long-name-{number}" for number in range(50)]
    runs = pool([results.make(0.3 * seed, seed=seed, goals=10) for seed in (1, 2, 3)], "ppo")
    points = [
        pool([results.make(step / 4000, seed=step, checkpoint=f"p_{step}.pt", goals=10)], f"eval-{step}")
        for step in (1000, 2000, 3000)
    ]
    return {
        "one": report_page(results.make(0.7, goals=10)),
        "many skills": report_page(results.make(0.7, skills=many, goals=50)),
        "several": report_page(
            runs,
            pool(
                [results.make(0.9, seed=s, goals=10) for s in (7, 8)], "a-method-whose-name-" + "is-long-" * 8
            ),
        ),
        "learning": report_page(*points),
        "suite": report_page(
            *(
                pool([results.make_suite(rate, seed=seed, protocol="multi-task, protocol newt")], name)
                for seed, (rate, name) in enumerate(
                    ((0.2, "low"), (0.9, "a-name-that-is-long-" * 4), (0.5, "c"))
                )
            )
        ),
        "worlds": report_page(
            *(
                pool([results.make_mixture(rate, seed=seed)], name)
                for seed, (rate, name) in enumerate(((0.2, "low"), (0.9, "a-name-that-is-long-" * 4)))
            )
        ),
        "returns": report_page(results.make(success=False)),
    }


def test_the_page_opens_without_complaints_and_fits(pages, tmp_path):
    for name, page in pages.items():
        found, complaints = opened(page, tmp_path / name.replace(" ", "-"))
        assert complaints == [], name
        assert found["found"] == [], name
        for look in found["looks"]:
            assert look["scroll"] <= look["client"], (name, look)
            assert look["requested"] == [], (name, look)
            assert look["outside"] == 0, (name, look)
            assert look["charts"] >= 2, (name, look)
            assert look["letters"] > 10, (name, look)  # pixels: they can be read
        if name == "one":
            assert all(look["before"] != look["after"] for look in found["looks"])  # sorted by the click


def test_a_video_can_be_played(results, tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    folder = tmp_path / "videos"
    folder.mkdir()
    writer = imageio_ffmpeg.write_frames(str(folder / "a.mp4"), (64, 48), fps=10, macro_block_size=2)
    writer.send(None)
    for shade in range(10):
        writer.send(bytes([20 * shade]) * 64 * 48 * 3)
    writer.close()
    (folder / "videos.json").write_text(json.dumps({"videos": [{"file": "a.mp4", "skill": "reach-v3"}]}))
    found, complaints = opened(report_page(results.make(), videos=folder), tmp_path / "page")
    assert complaints == []
    assert [look["videos"] for look in found["looks"]] == [[[64, None]]] * 2


def test_a_script_in_a_name_does_not_run_and_the_probe_would_see_it(results, tmp_path):
    name = "<img src=x onerror='document.title=1'><script>fetch('https://example.com')</script>"
    _, complaints = opened(report_page(results.make(policy=name), title=name), tmp_path / "nasty")
    assert complaints == []
    page = report_page(results.make()).replace("</main>", "<script>console.log(1)</script></main>")
    _, complaints = opened(page, tmp_path / "injected")
    assert len(complaints) >= 1  # the page's policy has refused it
