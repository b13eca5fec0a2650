/** The page of voxtrail annotate. */

import { render } from "preact";
import { dialog } from "./dialogs/open_dialog";
import { ExportDialog } from "./dialogs/ExportDialog";
import { FileChooser, OpenDialog } from "./dialogs/FileChooser";
import { HelpDialog } from "./dialogs/HelpDialog";
import { ImportDialog } from "./dialogs/ImportDialog";
import { listenToKeys } from "./keys";
import { LabelsPanel } from "./panels/LabelsPanel";
import { LoopPanel } from "./panels/LoopPanel";
import { Banner, Notices } from "./panels/Notices";
import { StatusBar } from "./panels/StatusBar";
import { ToolOptions } from "./panels/ToolOptions";
import { ToolRail } from "./panels/ToolRail";
import { TopBar } from "./panels/TopBar";
import { begin } from "./state/link";
import { enlarged } from "./state/look";
import { scan, server } from "./state/server";
import { giveKeyboardBack, SliceView } from "./views/SliceView";
import { View3D } from "./views/View3D";

function Page() {
  if (server.value && !scan.value) return <StartPage />;
  return (
    <div class="page">
      <TopBar />
      <Banner />
      <main class="work">
        <ToolRail />
        <div class={`views ${enlarged.value ? "one" : "four"}`}>
          {scan.value && <Views />}
          {!server.value && <p class="view-message">Connecting…</p>}
        </div>
        <aside class="side" aria-label="labels and tools">
          <LoopPanel />
          <LabelsPanel />
          <ToolOptions />
        </aside>
      </main>
      <StatusBar />
      <Notices />
      <OpenDialogNow />
    </div>
  );
}

/** The views in the places that ITK-SNAP has them in. */
function Views() {
  return (
    <>
      <SliceView axis="axial" />
      <SliceView axis="sagittal" />
      <View3D />
      <SliceView axis="coronal" />
    </>
  );
}

function OpenDialogNow() {
  switch (dialog.value) {
    case "help":
      return <HelpDialog />;
    case "export":
      return <ExportDialog />;
    case "import":
      return <ImportDialog />;
    case "open":
      return <OpenDialog />;
    case null:
      return null;
  }
}

function StartPage() {
  return (
    <div class="start">
      <Banner />
      <main>
        <h1>
          <img src="./assets/icon.svg" alt="" width="40" height="40" /> voxtrail
        </h1>
        <p>Outline a structure on a few slices of a CT; the model carries it through the scan.</p>
        <FileChooser />
        <p class="notice">{server.value?.notice}</p>
      </main>
      <Notices />
    </div>
  );
}

begin();
listenToKeys();
addEventListener("click", giveKeyboardBack);
render(<Page />, document.getElementById("page")!);
