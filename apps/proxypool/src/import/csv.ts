/** The fields of one line of comma-separated values (RFC 4180, without line breaks inside fields). */
export function csvFields(line: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      let field = ''
      at++
      for (;;) {
        const end = line.indexOf('"', at)
        if (end === -1) throw new SyntaxError('A quoted field does not end.')
        field += line.slice(at, end)
        at = end + 1
        if (line[at] !== '"') break
        field += '"'
        at++
      }
      fields.push(field)
      if (at < line.length && line[at] !== ',') throw new SyntaxError('After a quoted field a comma is missing.')
    } else {
      const comma = line.indexOf(',', at)
      const end = comma === -1 ? line.length : comma
      fields.push(line.slice(at, end).trim())
      at = end
    }
    if (at >= line.length) return fields
    at++
  }
}
