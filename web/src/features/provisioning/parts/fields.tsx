import { Select, TagsInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useProjectNames } from '@/features/projects'

interface TagsFieldProps {
  tags: string[]
  onTags: (tags: string[]) => void
}

/** The tags that a device starts out with. */
export function TagsField({ tags, onTags }: TagsFieldProps) {
  const { t } = useTranslation()
  return (
    <TagsInput
      label={t('provisioning.tags')}
      description={t('provisioning.tagsHint')}
      value={tags}
      onChange={onTags}
      splitChars={[',', ' ']}
      acceptValueOnBlur
    />
  )
}

interface ProjectFieldProps {
  projectId: string | null
  onProject: (projectId: string | null) => void
}

/** The project that a device starts out in; nothing where there are none. */
export function ProjectField({ projectId, onProject }: ProjectFieldProps) {
  const { t } = useTranslation()
  const projects = useProjectNames()
  if (projects.size === 0) return null
  return (
    <Select
      label={t('devices.project')}
      data={[...projects].map(([value, label]) => ({ value, label }))}
      value={projectId}
      onChange={onProject}
      clearable
      searchable
    />
  )
}
