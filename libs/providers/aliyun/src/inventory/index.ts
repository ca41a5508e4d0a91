export { aliyunProcess, aliyunSettings } from './aliyun-settings.js';
export { CloudLooker } from './look.js';
