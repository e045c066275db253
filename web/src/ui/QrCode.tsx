import { encode } from 'uqr'

/** A QR code as one SVG path: dark on white in both schemes, since scanners want it so. */
export function QrCode({
  text,
  label,
  size = 168,
}: {
  text: string
  label: string
  size?: number
}) {
  const { data, size: cells } = encode(text, { ecc: 'M', border: 2 })
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('')
  return (
    <svg
      role="img"
      aria-label={label}
      width={size}
      height={size}
      viewBox={`0 0 ${cells} ${cells}`}
      shapeRendering="crispEdges"
      style={{ background: '#fff', borderRadius: 6, display: 'block' }}
    >
      <path d={path} fill="#10242c" />
    </svg>
  )
}
