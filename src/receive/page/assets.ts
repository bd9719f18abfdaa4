export const HTML = "<!doctype html><html>";
export const CSS = "";
export const JS = "";
