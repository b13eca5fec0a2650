/** All keys, and what the pointer does. */

import { BINDINGS, type Binding } from "../keys";
import { server } from "../state/server";
import { Dialog } from "./Dialog";

const GROUPS: readonly Binding["group"][] = ["Tools", "Drawing", "Slices", "Model", "Labels", "View"];

const POINTER = [
  ["Wheel", "Through the slices"],
  ["Ctrl + wheel", "Zoom at the pointer"],
  ["Middle button", "Pan, with any tool"],
  ["Right button", "The tool's opposite: erase, cut out, negative click"],
  ["Double click", "With the crosshair: only this view, or all"],
] as const;

export function HelpDialog() {
  return (
    <Dialog title="Keys and pointer" wide>
      <div class="help-columns">
        {GROUPS.map((group) => (
          <section key={group}>
            <h2>{group}</h2>
            <dl>
              {BINDINGS.filter((binding) => binding.group === group).map((binding) => (
                <div key={binding.keys[0]}>
                  <dt>
                    <kbd>{shown(binding.keys[0])}</kbd>
                  </dt>
                  <dd>{binding.help}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h2>Pointer</h2>
          <dl>
            {POINTER.map(([what, help]) => (
              <div key={what}>
                <dt>
                  <kbd>{what}</kbd>
                </dt>
                <dd>{help}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
      <p class="hint">
        A solid line is drawn by you; a filled area without one is predicted. The bar beside each view shows
        drawn slices in the label's colour, how sure the rest is (green to red, long to short) and the
        suggested next slice (yellow). Each stroke is saved when it ends.
      </p>
      <p class="hint">
        voxtrail {server.value?.version}. <a href="./assets/licenses.txt">Licences</a> of what this page is
        built from.
      </p>
    </Dialog>
  );
}

function shown(key: string): string {
  return key.length === 1
    ? key.toUpperCase()
    : key.replace(/\+([a-z])$/, (_, letter: string) => `+${letter.toUpperCase()}`);
}
