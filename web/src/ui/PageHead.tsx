import { Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import css from './ui.module.css'

interface PageHeadProps {
  title: string
  /** What stands before the title in the tab's name is the same title; this is the way back above it. */
  crumb?: ReactNode
  lead?: ReactNode
  /** Stands left of the title, e.g. a status mark. */
  mark?: ReactNode
  actions?: ReactNode
}

export function PageHead({ title, crumb, lead, mark, actions }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · EdgeFlow`
  }, [title])
  return (
    <header className={css.head}>
      <div className={css.headText}>
        {crumb && <div>{crumb}</div>}
        <Title order={1}>
          {mark}
          {title}
        </Title>
        {lead && <div className="quiet">{lead}</div>}
      </div>
      {actions}
    </header>
  )
}

export const crumbClass = css.crumb
