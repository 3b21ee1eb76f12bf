// The player's comforts: two lanes with a shared playhead, keys, speed, the position in words.
// The control itself is <audio controls>; without this file it plays all the same.

const player = document.getElementById("player");
const audio = player.querySelector("audio");
const lanes = player.querySelector(".lanes");
const canvases = [...player.querySelectorAll("canvas")];
const playhead = player.querySelector(".playhead");
const spoken = document.getElementById("spoken");
const refused = document.getElementById("refused");
const words = player.dataset;
const [HOURS, MINUTES, SECONDS] = words.units.split("|");
const seconds = Number(words.seconds);
const regions = JSON.parse(words.regions);
const SKIP_S = 5;
const LOUDEST = 100;
let drawn = null;

for (const each of player.querySelectorAll(".comforts")) each.hidden = false;

function inWords(at) {
  const whole = Math.round(at);
  const parts = [
    [Math.floor(whole / 3600), HOURS],
    [Math.floor(whole / 60) % 60, MINUTES],
    [whole % 60, SECONDS],
  ];
  return parts.filter(([many], index) => many || index === 2).map((each) => each.join(" ")).join(" ");
}

function sayPosition() {
  const here = regions.find(([since, until]) => audio.currentTime >= since && audio.currentTime < until);
  const left = `${inWords(Math.max(0, seconds - audio.currentTime))} ${words.left}`;
  spoken.textContent =
    `${words.position}: ${inWords(audio.currentTime)} ${words.of} ${inWords(seconds)}, ${left}` +
    (here ? `, ${here[2]}` : "");
}

function goTo(at) {
  audio.currentTime = Math.min(Math.max(0, at), seconds);
  moveHead();
}

function moveHead() {
  playhead.style.insetInlineStart = `${(100 * audio.currentTime) / seconds}%`;
}

function toggle() {
  if (audio.paused) audio.play().catch(sayWhy);
  else audio.pause();
}

const ACTS = {
  play: toggle,
  back: () => goTo(audio.currentTime - SKIP_S),
  on: () => goTo(audio.currentTime + SKIP_S),
  say: sayPosition,
};
const KEYS = {
  " ": ACTS.play, ArrowLeft: ACTS.back, j: ACTS.back, J: ACTS.back,
  ArrowRight: ACTS.on, l: ACTS.on, L: ACTS.on,
};

for (const button of player.querySelectorAll("[data-do]")) {
  button.addEventListener("click", ACTS[button.dataset.do]);
}
document.getElementById("speed").addEventListener("change", (event) => {
  audio.playbackRate = Number(event.target.value);
});
document.addEventListener("keydown", (event) => {
  const own = event.target.closest("input, select, textarea, button, a, audio, summary");
  const act = KEYS[event.key];
  // A button answers space, a list the arrows: what has the focus comes first.
  if (!act || event.ctrlKey || event.altKey || event.metaKey || (own && own.tagName !== "AUDIO")) return;
  event.preventDefault();
  act();
});
// The audio control has keys of its own; ours come first, so that both do not act.
audio.addEventListener("keydown", (event) => { if (KEYS[event.key]) event.preventDefault(); });
for (const each of ["pause", "seeked", "ended"]) audio.addEventListener(each, sayPosition);
audio.addEventListener("timeupdate", moveHead);
audio.addEventListener("error", sayWhy);

// The element does not tell why nothing comes any more; the server does.
async function sayWhy() {
  let why = "";
  try {
    const answer = await fetch(audio.src, { headers: { Range: "bytes=0-0" } });
    if (answer.ok) return;
    const problem = await answer.json();
    why = `${problem.title}. ${problem.detail ?? ""}`;
  } catch {
    // Nobody answers: the words below say as much as is known.
  }
  audio.pause();
  refused.textContent = `${words.gone} ${why}`;
  refused.hidden = false;
}

function hatch(context, width, height) {
  const style = getComputedStyle(document.documentElement);
  context.strokeStyle = style.getPropertyValue("--warning");
  context.fillStyle = context.strokeStyle;
  for (const [since, until, word] of regions) {
    const left = (width * since) / seconds;
    const right = (width * until) / seconds;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    context.beginPath();
    for (let x = left - height; x < right; x += 8) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.font = "13px system-ui, sans-serif";
    context.fillText(word, left + 4, 14);
    context.restore();
  }
}

function draw() {
  if (!drawn) return;
  [drawn.caller, drawn.office].forEach((bars, lane) => {
    const canvas = canvases[lane];
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.fillStyle = getComputedStyle(canvas).color;
    const step = width / bars.length;
    bars.forEach((bar, index) => {
      const tall = Math.max(1, (height * bar) / LOUDEST);
      context.fillRect(index * step, (height - tall) / 2, Math.max(1, step * 0.8), tall);
    });
    hatch(context, width, height);
  });
}

for (const canvas of canvases) {
  canvas.addEventListener("click", (event) => {
    const { left, width } = canvas.getBoundingClientRect();
    goTo((seconds * (event.clientX - left)) / width);
  });
}
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

const answer = await fetch(words.lanes).catch(() => null);
if (answer?.ok) {
  drawn = await answer.json();
  lanes.hidden = false;
  draw();
}
