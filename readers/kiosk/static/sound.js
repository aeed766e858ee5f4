// Two short sounds, made here: no files. Browsers stay mute until somebody touched the page, so `unlock` is called by taps.

let context;

export function unlock() {
  context ??= new AudioContext();
  context.resume();
}

function note(frequency, startS, lengthS, shape) {
  const start = context.currentTime + startS;
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.type = shape;
  tone.frequency.value = frequency;
  // A ramp at both ends: a tone that is cut off clicks.
  volume.gain.setValueAtTime(0.0001, start);
  volume.gain.exponentialRampToValueAtTime(0.3, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + lengthS);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + lengthS);
}

/** Up: paid. */
export function paid() {
  if (context?.state !== "running") return;
  note(660, 0, 0.14, "sine");
  note(990, 0.12, 0.24, "sine");
}

/** Low, twice: refused. It differs by rhythm too, for a loud room. */
export function refused() {
  if (context?.state !== "running") return;
  note(196, 0, 0.2, "triangle");
  note(165, 0.28, 0.3, "triangle");
}
