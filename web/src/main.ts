// Every page: styles, htmx, and the small behaviours of the shell.
import "./styles/tabler.scss";
import "../../src/fairway/ui/tokens.css";
import "./styles/fonts.css";
import "./styles/bridge.css";
import "./styles/shell.css";
import "./styles/exchange.css";
import "./styles/parts.css";
import "./styles/grid.css";
import "./styles/forms.css";
import "./styles/accounts.css";
import "./styles/workspace.css";
import "htmx.org";
import { shell } from "./shell";
import { rows } from "./rows";
import { grid } from "./grid";
import { server } from "./server";
import { drop } from "./drop";
import { mentions } from "./mentions";
import "./islands/picker";
import "./islands/windows";

shell();
rows();
grid();
server();
mentions();
drop();
