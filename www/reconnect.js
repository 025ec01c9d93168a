// When to try again after a connection was lost.
//
// Twice as long after each failure, at most 30 s, so that a server in trouble
// is left alone; at random within that, so that after its restart not all
// pages come back in the same instant: 1 to 2 s, 2 to 4 s, … 15 to 30 s. A tab
// that nobody sees waits until it is shown, and then tries at once; so does
// one that waits when the network comes back.

import { onLanguage, say } from "./language.js";

const MIN_DELAY_MS = 1000;
const MAX_DELAY_MS = 30000;

// `attempt` connects; its outcome is told by opened() or lost(). `status` is an
// element that says how long it still takes, and is hidden while nobody waits.
export function createReconnect(attempt, status) {
  let failures = 0;
  let dueAt = null; // while waiting
  let timer;
  let steadyTimer;

  // Returns what there is to say of the next attempt.
  function lost() {
    clearTimeout(steadyTimer);
    const longest = Math.min(MAX_DELAY_MS, 2 * MIN_DELAY_MS * 2 ** failures);
    failures += 1;
    const delay = longest * (0.5 + 0.5 * Math.random());
    wait(performance.now() + delay);
    const isHidden = document.hidden;
    return () => (isHidden
      ? say("; next attempt when this tab is shown", "；本标签页显示时再次尝试")
      : say(`; next attempt in ${(delay / 1000).toFixed(1)} s`, `；${(delay / 1000).toFixed(1)} 秒后再次尝试`));
  }

  function wait(until) {
    dueAt = until;
    tick();
  }

  function tick() {
    clearTimeout(timer);
    show();
    if (dueAt === null || document.hidden) return; // visibilitychange goes on from here
    const left = dueAt - performance.now();
    if (left <= 0) tryNow();
    else timer = setTimeout(tick, left % 1000 || 1000); // when the number changes
  }

  function show() {
    status.hidden = dueAt === null;
    const seconds = Math.max(0, Math.ceil((dueAt - performance.now()) / 1000));
    status.textContent = document.hidden
      ? say("Not connected. The next attempt is made when this tab is shown.", "未连接。本标签页显示时会再次尝试。")
      : say(`Not connected. The next attempt is in ${seconds} s.`, `未连接。${seconds} 秒后再次尝试。`);
  }

  function tryNow() {
    wait(null);
    attempt();
  }

  // Only a connection that lasts ends the row of failures: a server that
  // accepts and closes at once is in trouble as well.
  function opened() {
    wait(null);
    steadyTimer = setTimeout(() => { failures = 0; }, MAX_DELAY_MS);
  }

  // The user decides: waits no more, and the next row of failures starts anew.
  function stop() {
    clearTimeout(steadyTimer);
    failures = 0;
    wait(null);
  }

  function tryNowIfWaiting() {
    if (dueAt !== null && !document.hidden) tryNow();
  }

  document.addEventListener("visibilitychange", () => {
    if (dueAt !== null && document.hidden) tick();
    else tryNowIfWaiting();
  });
  addEventListener("online", tryNowIfWaiting);
  onLanguage(show);

  return { lost, opened, stop };
}
