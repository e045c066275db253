import { Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import css from './ui.module.css'

interface PanelProps {
  title?: string
  actions?: ReactNode
  /** Content that draws its own edges: tables, editors. */
  flush?: boolean
  children: ReactNode
}

/** A titled surface; a named region for those who navigate by landmark. */
export function Panel({ title, actions, flush = false, children }: PanelProps) {
  const id = useId()
  return (
    <section className={css.panel} aria-labelledby={title ? id : undefined}>
      {title && (
        <header className={css.panelHead}>
          <Title order={2} id={id}>
            {title}
          </Title>
          {actions}
        </header>
      )}
      <div className={flush ? css.panelFlush : css.panelBody}>{children}</div>
    </section>
  )
}
