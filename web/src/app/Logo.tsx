/** The mark: a bus of traces, one of which branches out to two devices. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <path
        d="M5 8.5h11M5 16h6.5M5 23.5h11"
        stroke="currentColor"
        strokeWidth="3"
        strokeLinecap="round"
        fill="none"
      />
      <path
        d="M13 16h3.4c3.2 0 3.4-7.5 7.2-7.5M16.4 16c3.2 0 3.4 7.5 7.2 7.5"
        stroke="var(--copper-mark)"
        strokeWidth="3"
        strokeLinecap="round"
        fill="none"
      />
      <circle cx="25.5" cy="8.5" r="3" fill="var(--copper-mark)" />
      <circle cx="25.5" cy="23.5" r="3" fill="var(--copper-mark)" />
    </svg>
  )
}

export function Logo() {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 10 }}>
      <Mark />
      <span style={{ fontSize: 17, fontWeight: 600, letterSpacing: '-0.02em' }}>EdgeFlow</span>
    </span>
  )
}
