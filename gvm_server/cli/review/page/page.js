"use strict";
// The page's whole behaviour. The movie holds plate above matte in one picture; looks are made here.

const data = JSON.parse(document.getElementById("data").textContent);
const video = document.getElementById("proxy");
const canvas = document.getElementById("picture");
const screen = canvas.getContext("2d", { willReadFrequently: true });
const scrub = document.getElementById("scrub");
const label = document.getElementById("frame");
const play = document.getElementById("play");
const { width, height } = canvas;

// A buffer of its own for the movie's picture: it is read back for each look.
const buffer = document.createElement("canvas");
buffer.width = width;
buffer.height = 2 * height;
const reader = buffer.getContext("2d", { willReadFrequently: true });

let index = 0; // of the frame that is wanted, from 0
let look = 0;
let seeking = false;

// The middle of a frame's time: a player that rounds shows that frame, and not the one before.
const timeOf = (at) => ((at + 0.5) * data.rate[1]) / data.rate[0];
const indexAt = (time) => Math.min(Math.max(Math.floor((time * data.rate[0]) / data.rate[1] + 1e-6), 0), data.frames.length - 1);

function over(ground) {
  return (plate, alpha, out, at) => {
    const share = alpha / 255;
    for (let c = 0; c < 3; c++) out[at + c] = plate[at + c] * share + ground[c] * (1 - share);
  };
}

const LOOKS = [
  ["plate", (plate, alpha, out, at) => { for (let c = 0; c < 3; c++) out[at + c] = plate[at + c]; }],
  ["matte", (plate, alpha, out, at) => { out[at] = out[at + 1] = out[at + 2] = alpha; }],
  ["over colour", over(data.colour)],
  ["over black", over([0, 0, 0])],
  ["over white", over([255, 255, 255])],
  ["edge", (plate, alpha, out, at) => {
    const inside = alpha > 5 && alpha < 250;
    for (let c = 0; c < 3; c++) out[at + c] = inside ? [255, 64, 38][c] : plate[at + c] * 0.35;
  }],
];

function draw() {
  reader.drawImage(video, 0, 0, width, 2 * height);
  const plate = reader.getImageData(0, 0, width, height);
  const matte = reader.getImageData(0, height, width, height).data;
  const shown = screen.createImageData(width, height);
  const make = LOOKS[look][1];
  for (let at = 0; at < matte.length; at += 4) {
    make(plate.data, matte[at + 1], shown.data, at);
    shown.data[at + 3] = 255;
  }
  screen.putImageData(shown, 0, 0);
  document.body.dataset.shown = data.frames[index];
}

function tell() {
  scrub.value = index;
  label.textContent = data.frames[index];
  for (const line of document.querySelectorAll(".now")) {
    line.setAttribute("x1", index + 0.5);
    line.setAttribute("x2", index + 0.5);
  }
  for (const value of document.querySelectorAll("[data-figure]")) {
    const found = data.figures[value.dataset.figure][index];
    value.textContent = found === null ? "-" : Number(found.toPrecision(4));
  }
}

function go(at) {
  index = Math.min(Math.max(Math.round(at), 0), data.frames.length - 1);
  tell();
  if (seeking || video.readyState < 1) return; // what is wanted by then is looked for next
  seeking = true;
  delete document.body.dataset.shown;
  video.currentTime = timeOf(index);
}

video.addEventListener("seeked", () => {
  seeking = false;
  if (indexAt(video.currentTime) !== index) go(index);
  else draw();
});
video.addEventListener("loadeddata", () => go(index));
video.addEventListener("error", () => { label.textContent = "This browser does not play H.264."; });

function follow() {
  if (video.paused) return;
  index = indexAt(video.currentTime);
  tell();
  draw();
  requestAnimationFrame(follow);
}

function toggle() {
  if (video.paused) {
    if (index === data.frames.length - 1) video.currentTime = 0;
    video.play().then(() => { play.textContent = "Pause"; follow(); });
  } else {
    video.pause();
  }
}
video.addEventListener("pause", () => {
  play.textContent = "Play";
  go(indexAt(video.currentTime));
});
play.addEventListener("click", toggle);

function pause() { if (!video.paused) video.pause(); }

function choose(which) {
  look = which;
  [...looks.children].forEach((button, at) => button.setAttribute("aria-pressed", at === look));
  if (video.readyState >= 2 && !seeking) draw();
}
const looks = document.getElementById("looks");
LOOKS.forEach(([name], which) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => choose(which));
  looks.append(button, " ");
});
[...looks.childNodes].filter((node) => node.nodeType === 3).forEach((node) => node.remove());

scrub.addEventListener("input", () => { pause(); go(Number(scrub.value)); });

for (const plot of document.querySelectorAll("#plots svg")) {
  const at = (event) => {
    const box = plot.getBoundingClientRect();
    pause();
    go(Math.floor(((event.clientX - box.left) / box.width) * data.frames.length));
  };
  plot.addEventListener("pointerdown", at);
  plot.addEventListener("pointermove", (event) => { if (event.buttons) at(event); });
}

for (const button of document.querySelectorAll("button[data-go]")) {
  button.addEventListener("click", () => {
    pause();
    go(data.frames.indexOf(Number(button.dataset.go)));
    document.getElementById("player").scrollIntoView();
  });
}

function next() {
  const wanted = data.look_at.map((frame) => data.frames.indexOf(frame)).sort((a, b) => a - b);
  if (wanted.length) go(wanted.find((at) => at > index) ?? wanted[0]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.shiftKey ? 10 : 1;
  const keys = {
    ArrowLeft: () => go(index - step),
    ArrowRight: () => go(index + step),
    Home: () => go(0),
    End: () => go(data.frames.length - 1),
    n: next,
    " ": toggle,
  };
  const known = keys[event.key];
  if (!known && !(event.key >= "1" && event.key <= LOOKS.length.toString())) return;
  event.preventDefault();
  if (!known) return choose(Number(event.key) - 1);
  if (event.key !== " ") pause();
  known();
});

choose(2);
tell();
