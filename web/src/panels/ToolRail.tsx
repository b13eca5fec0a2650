/** The tools, one under the other. */

import { focusView } from "../views/SliceView";
import { activeAxis } from "../state/look";
import { takeTool, tool, TOOLS } from "../draw/tools";
import { Icon } from "./icons";

export function ToolRail() {
  return (
    <div class="tool-rail" role="toolbar" aria-label="tools" aria-orientation="vertical">
      {TOOLS.map((one) => (
        <button
          key={one.id}
          class="tool"
          aria-pressed={tool.value === one}
          aria-label={one.name}
          aria-keyshortcuts={one.key}
          title={`${one.name} (${one.key}): ${one.hint}`}
          onClick={(event) => {
            takeTool(one);
            // A tool that the mouse took is used at once: space belongs to the view, not the button.
            if (event.detail > 0) focusView(activeAxis.value);
          }}
        >
          <Icon name={one.id} />
          <kbd>{one.key}</kbd>
        </button>
      ))}
    </div>
  );
}
