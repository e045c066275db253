import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface MoreProps {
  query: {
    hasNextPage: boolean
    isFetchingNextPage: boolean
    isFetchNextPageError: boolean
    fetchNextPage: () => Promise<unknown>
  }
}

/** The way to the rest of a list. */
export function More({ query }: MoreProps) {
  const { t } = useTranslation()
  if (!query.hasNextPage) return null
  return (
    <div style={{ padding: 8, textAlign: 'center', borderTop: '1px solid var(--line)' }}>
      <Button
        variant="subtle"
        loading={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {query.isFetchNextPageError ? t('ui.retry') : t('ui.more')}
      </Button>
    </div>
  )
}
