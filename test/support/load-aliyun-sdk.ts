/** Loads Alibaba Cloud's SDK before tests that are timed: 4,000 files, which takes seconds where other processes run. */
export async function loadAliyunSdk(): Promise<void> {
  await Promise.all([import('@alicloud/ecs20140526'), import('@alicloud/vpc20160428')]);
}
