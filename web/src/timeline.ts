// The timeline, loaded only by pages that have one.
import "./styles/timeline.css";
import "./timeline/element";
