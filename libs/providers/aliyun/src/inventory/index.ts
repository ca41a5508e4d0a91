export { aliyunInventory } from './aliyun-inventory.js';
export { aliyunProcess, aliyunSettings } from './aliyun-settings.js';
