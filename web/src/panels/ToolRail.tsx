/** The tools, one under the other. */

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
          onClick={() => takeTool(one)}
        >
          <Icon name={one.id} />
          <kbd>{one.key}</kbd>
        </button>
      ))}
    </div>
  );
}
