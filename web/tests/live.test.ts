import { describe, expect, it } from "vitest";
import { subjectOf } from "../src/live";

describe("subjectOf", () => {
  const uid = "01a21241-548d-73a1-9714-b42967efe28f";
  it("finds the record that a panel is about", () => {
    expect(subjectOf(`/events/panel?subject=${uid}`)).toBe(uid);
    expect(subjectOf(`/activity?kind=item&subject=${uid}&page=2`)).toBe(uid);
  });
  it("takes nothing that is no uid, for it goes into an address", () => {
    expect(subjectOf("/events/panel")).toBe("");
    expect(subjectOf("/events/panel?subject=CHG-7")).toBe("");
    expect(subjectOf(`/events/panel?subject=${uid}%26after=0`)).toBe("");
  });
});
