/** Returns the anchors of a page's headings, like GitHub's. */
export function headingAnchors(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^##+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}
