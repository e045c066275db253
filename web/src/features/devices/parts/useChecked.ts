import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { queryCheckQuery } from '../queries'

const TYPING_MS = 180

export interface Checked {
  /** The server reads it as it stands now. */
  valid: boolean
  /** How many devices it matches, once that is known. */
  matches: number | undefined
  /** What is wrong, as a sentence and as a picture with a caret; null while typing goes on. */
  fault: { message: string; picture: string } | null
}

/** What the server thinks of a query while it is being typed. */
export function useChecked(q: string): Checked {
  const [resting] = useDebouncedValue(q, TYPING_MS)
  const check = useQuery({ ...queryCheckQuery(resting), enabled: resting !== '' })
  const settled = resting === q && !check.isPlaceholderData
  const error = check.data?.error
  return {
    valid: q !== '' && settled && check.data?.valid === true,
    matches: settled ? (check.data?.matches ?? undefined) : undefined,
    fault: q !== '' && settled && error ? { message: error.message, picture: error.caret } : null,
  }
}
