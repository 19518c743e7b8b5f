// The graph of an impact, loaded only by pages that have one.
import "./styles/graph.css";
import "./graph/element";
