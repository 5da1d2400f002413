/** The anchors of a page's headings, as GitHub makes them. */
export function headingAnchors(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^##+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}
